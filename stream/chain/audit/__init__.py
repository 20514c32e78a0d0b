"""The record of what people decided: entries that each name the digest of the one before, written
by the owner of a partition of `controls`, and checked by whoever reads them.
"""
