"""Another encoder in a serve worker: which one, how it comes to it, what that leaves to do."""
