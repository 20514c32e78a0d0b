"""What lists are worth: each target ranked before it is learned, and other policies valued on
logged impressions.
"""
