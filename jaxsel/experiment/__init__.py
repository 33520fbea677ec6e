"""The main job: plans the runs of a config, does those that are missing, reports."""
