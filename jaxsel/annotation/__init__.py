"""Picks out to annotation tools and labels back, with ids that survive both ways."""
