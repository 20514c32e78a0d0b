"""Whether a broker is ready: it answers a client, and is itself among the brokers that may take
topics.
"""

from __future__ import annotations

import socket

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

__all__ = ["answers"]

CONNECT_SECONDS = 1.0
BOOTSTRAP_MS = 2_000
REQUEST_MS = 5_000


def answers(host: str, port: int) -> bool:
    """One try, a few seconds at most. A broker that still starts is a plain False."""
    if not _listens(
        host, port
    ):  # spares the client's own complaints about a port that nobody listens on yet
        return False
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=f"{host}:{port}",
            bootstrap_timeout_ms=BOOTSTRAP_MS,
            request_timeout_ms=REQUEST_MS,
        )
    except KafkaError:
        return False
    try:
        admin.list_topics()
        return len(admin.describe_cluster()["brokers"]) > 0
    except KafkaError:
        return False
    finally:
        admin.close()


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(CONNECT_SECONDS)
        return probe.connect_ex((host, port)) == 0
