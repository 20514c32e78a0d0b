"""The learn process: reads `examples`, tests, trains, publishes versions and deltas, carries out
erasures. One runs.
"""
