"""What the gateway has of Kafka: events on their way, the newest lists, whoever waits for an
answer, the model as a serve worker follows it. It knows nothing about HTTP but how a refusal is
called.
"""
