"""The items as the learner sees them: rows, features, nearest texts. It knows nothing of users or
of what they did.
"""
