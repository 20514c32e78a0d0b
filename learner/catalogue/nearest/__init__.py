"""Which texts are nearest to each other, and to a direction: exactly, or by an index where there
are many. It knows vectors and rows, nothing about items.
"""
