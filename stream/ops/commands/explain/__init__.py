"""The commands that explain: one list, the running system."""
