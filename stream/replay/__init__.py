"""Logs of events: read, played into the topics, or through the inline engine in one process without
a broker, and what came of it.
"""
