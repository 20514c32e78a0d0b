"""From a user's state to a list with its reasons: candidates, the signals' features, the gate that
weighs them, rules and lots. It knows neither optimizers nor versions.
"""
