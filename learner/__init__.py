"""What is learned from examples and how lists come of it, by rooms: catalogue, counts, fused,
ranking, training, release, testing, private. It knows nothing of Kafka, Qdrant or any stream.
"""
