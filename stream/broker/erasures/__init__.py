"""The ledger of erasures: who was forgotten and when, on a topic and in a file that outlive every
other topic's retention.
"""
