"""The right of access: what is held of one user, gathered from wherever it stands. It changes
nothing.
"""
