"""The codecs in which records may come: each app chooses its own, and a topic's setting may choose
for all. A reader without one of them cannot go past such a record.
"""

from __future__ import annotations

import aiokafka.codec
import kafka.codec

from upwell.errors import BrokerError

__all__ = ["CODECS", "check_codecs"]

CODECS = ("gzip", "snappy", "lz4", "zstd")
CLIENTS = {"aiokafka": aiokafka.codec, "kafka-python": kafka.codec}
"""Faust's client, and that of all the rest. They use different packages."""


def check_codecs() -> None:
    """Raises `BrokerError` that names what a client of this installation cannot read."""
    missing = [
        f"{client} lacks {codec}"
        for client, module in CLIENTS.items()
        for codec in CODECS
        if not getattr(module, f"has_{codec}")()
    ]
    if missing:
        raise BrokerError(
            f"records in some codecs cannot be read ({', '.join(missing)}): install "
            "aiokafka[lz4,snappy,zstd] and kafka-python[lz4,snappy,zstd]"
        )
