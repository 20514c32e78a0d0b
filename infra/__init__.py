"""The surroundings of an engine on one machine: Kafka fetched, started and stopped, Java found,
health told. It knows nothing of events, models or stores.
"""
