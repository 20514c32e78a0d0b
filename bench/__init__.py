"""Quality and speed, each against named peers in the same run.

Every bench prints one JSON object as its last line.
"""
