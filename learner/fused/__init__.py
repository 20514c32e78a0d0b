"""The fused model: items by text, features and identity, users by a small transformer over their
history. It computes and holds weights; how they are trained it does not know.
"""
