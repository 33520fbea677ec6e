"""The doctor: feature rows in, what is wrong or odd with them out, before any work."""
