"""Selection on many devices: rows laid over a mesh, small state on all of them."""
