"""What other streams than a recommender's are made of: records in and out of each use, and how
their values are read.
"""
