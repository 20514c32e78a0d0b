"""Versions of what is learned: checkpoints, deltas, the guard that compares them. It knows no
broker and no gradient.
"""
