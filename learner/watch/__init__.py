"""Opinion watch: posts in, alerts out. Which topics are written about, in what mood, and which of
both has changed, with a stated number of false alarms a day. It knows nothing of Kafka, nor which
model made a vector.
"""
