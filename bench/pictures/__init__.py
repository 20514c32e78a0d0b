"""Pictures on real ones: emoji with names and tags, read by the smallest real picture model that a
registry package ships.
"""
