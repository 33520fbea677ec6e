"""Selection: arrays in, row indices out. Knows nothing of models, data or training."""
