"""What a process needs of its machine: time, threads, locks, whole files, bounded memory, and that
these folders are Upwell's own. It knows nothing about events, Kafka or models.
"""
