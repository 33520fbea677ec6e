"""Planning: what a selection would take on this machine, before anything is made."""
