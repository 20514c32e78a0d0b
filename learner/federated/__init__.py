"""Federated learning: what leaves a client, how many clients' reports become one model, and who is
refused. It knows nothing about sockets or logs.
"""
