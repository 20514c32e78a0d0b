"""Which items somebody should look at, and what they decide, on the record."""
