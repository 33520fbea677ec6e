"""Selection: arrays in, row indices out. Imports nothing of models, data or training."""
