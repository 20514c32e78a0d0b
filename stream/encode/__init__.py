"""Texts on their way from serve workers to encode workers, and vectors on their way back."""
