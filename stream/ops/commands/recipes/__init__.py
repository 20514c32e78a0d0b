"""The command that runs recipes: streams of several kinds that a user can start from."""
