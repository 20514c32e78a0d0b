"""What many users teach, so that no one of them can be told from it: bounds on what each adds,
noise that grows with the logarithm of the stream, and one account of what was spent.
"""
