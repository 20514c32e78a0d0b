"""What operators do to topics, with nothing of Upwell's."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from kafka import KafkaAdminClient

__all__ = ["delete_topics"]

DEADLINE_SECONDS = 60.0
TICK_SECONDS = 0.05


def delete_topics(client: Mapping[str, Any], names: Sequence[str]) -> None:
    """Returns when the broker does not show them any more."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    admin = KafkaAdminClient(**client)
    try:
        admin.delete_topics(list(names))
        while left := set(names) & set(admin.list_topics()):
            assert time.monotonic() < deadline, f"still there: {left}"
            time.sleep(TICK_SECONDS)
    finally:
        admin.close()
