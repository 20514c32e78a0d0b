"""A second learner that begins without the users who were forgotten, and takes the place of the
first.
"""
