"""Measurements: what each selector costs, beside its rivals and its own quality."""
