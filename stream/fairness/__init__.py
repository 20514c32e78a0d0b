"""Who is shown: exposure and calibration of the lists that a worker published, by groups of items
and of users, and what holds a bound on it.
"""
