"""Features: images in, raw float32 rows out, stored with the proof of what they are."""
