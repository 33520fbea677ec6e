"""Random changes of image batches, on the device: geometry, colour, SimCLR's views."""
