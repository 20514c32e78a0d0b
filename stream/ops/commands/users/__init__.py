"""The commands about one user's data."""
