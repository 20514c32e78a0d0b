"""Other uses of the engine than lists: each reads topics of its own, learns, and publishes what
came of it, by one loop.
"""
