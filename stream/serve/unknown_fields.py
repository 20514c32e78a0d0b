"""Fields that apps send and no version of the events names: kept out, counted by topic and name,
each named once in the log.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping

from upwell.schema import OTHER_FIELD, VERSION

__all__ = ["MAX_NAMES", "KeptOut"]

MAX_NAMES = 100

log = logging.getLogger("upwell.serve")


class KeptOut:
    """`counts`: by `topic.field`, since the start. Of names beyond the first 100 all of a topic
    count as `topic.(other)`.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, found: Mapping[str, int]) -> None:
        """Of one micro-batch."""
        for name, count in found.items():
            if name not in self.counts and len(self.counts) >= MAX_NAMES:
                name = f"{name.partition('.')[0]}.{OTHER_FIELD}"
            if name not in self.counts:
                log.warning(
                    "field %s is none of version %d: kept out, and counted on `metrics` "
                    "(docs/events.md)",
                    name,
                    VERSION,
                )
            self.counts[name] += count
