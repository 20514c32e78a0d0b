"""The commands of the review queue."""
