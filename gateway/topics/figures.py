"""What the processes of the engine say of themselves on `metrics`: of each the newest record.

It names no user. It knows nothing about what a figure means.
"""

from __future__ import annotations

from typing import Any

from stream.metrics.record import parse_record

__all__ = ["Figures"]

STALE_MS = 10_000
"""A process says something each second; one that has not for so long is gone."""


class Figures:
    """Belongs to one thread."""

    def __init__(self) -> None:
        self._newest: dict[str, dict[str, Any]] = {}

    def take(self, value: bytes) -> None:
        """A record's; what is no JSON object of a process is left."""
        one = parse_record(value)
        if one is None:
            return
        if one.get("leaves"):
            self._newest.pop(one["instance"], None)
        else:
            self._newest[one["instance"]] = one

    def report(self, now_ms: int) -> dict[str, Any]:
        """serve: a record a worker, by name. learn: the learner's, None where none speaks."""
        alive = [one for _, one in sorted(self._newest.items()) if now_ms - one["at"] < STALE_MS]
        learners = [one for one in alive if one["role"] == "learn"]
        return {
            "serve": [one for one in alive if one["role"] == "serve"],
            "learn": learners[0] if learners else None,
        }
