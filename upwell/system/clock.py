"""The time of events and records: UTC milliseconds. What is measured on one machine uses
`time.monotonic` instead.
"""

from __future__ import annotations

import time

__all__ = ["now_ms"]


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000
