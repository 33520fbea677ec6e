"""Sources: people's own images or features, from a path to ids and rows."""
