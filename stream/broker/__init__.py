"""Upwell's topics on Kafka: made, read whole, measured. It knows records and offsets; what they
mean the chain knows.
"""
