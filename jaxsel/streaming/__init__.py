"""Selection on pools larger than memory."""
