"""Backups without a stop: by the clock, and what is copied while the engine runs."""
