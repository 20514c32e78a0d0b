"""The support desk: which template answers a question, how sure that is, and which questions no
template answers. It learns from each choice as it comes. It knows nothing of Kafka, nor who asks.
"""
