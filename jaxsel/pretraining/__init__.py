"""Features without labels: training an encoder on the images alone."""
