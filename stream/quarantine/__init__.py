"""Quarantine: likes of newcomers that push an item wait, and teach nothing, until their users have
a past, a person releases them, or their time is over. Pure: examples in, examples to be learned
out.
"""
