"""`upwell adapt` and `upwell encoder`: a text encoder made better, and put into service."""
