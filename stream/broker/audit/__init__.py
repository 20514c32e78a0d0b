"""The topics `audit` and `overrides`, read: the end of a partition for who writes it, all of it for
who checks it.
"""
