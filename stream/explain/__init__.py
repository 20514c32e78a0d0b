"""What lists were made of, kept so that one can be made again, to the digit, and what would have
had to differ.
"""
