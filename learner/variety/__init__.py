"""Which places of a list go to whom beside the score: variants of one thing share one, and where a
setting asks for it lists are diverse, and mixed as their user's likes are.
"""
