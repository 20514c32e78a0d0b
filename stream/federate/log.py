"""A client's log in as many stretches as there are rounds, and the texts of its catalogue.

It knows nothing about engines or sockets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from learner.federated.layout import text_digest
from stream.chain.validate import load_json
from stream.replay.log import LogRecord, read_log
from upwell.errors import InvalidEventError, LogError
from upwell.events import Topic

__all__ = ["ClientLog", "open_log"]

_NOT_TEXT = frozenset({"ts", "event_id", "price", "currency"})
"""Of an announcement: what may differ between two catalogues that mean the same item."""


@dataclass(frozen=True, slots=True)
class ClientLog:
    """digest: of all records. texts: id → digest of the last announcement of each item."""

    records: Sequence[LogRecord]
    digest: str
    texts: dict[str, str]

    def stretches(self, rounds: int) -> list[Sequence[LogRecord]]:
        """So many parts of equally many events each, announcements where they stand. Raises
        `LogError` where there are fewer events than rounds.
        """
        places = [at for at, one in enumerate(self.records) if one.topic is not Topic.ITEMS]
        if len(places) < rounds:
            raise LogError(f"the log has {len(places)} events, fewer than {rounds} rounds")
        cuts = [places[len(places) * one // rounds] for one in range(1, rounds)]
        ends = [0, *cuts, len(self.records)]
        return [self.records[ends[one] : ends[one + 1]] for one in range(rounds)]


def open_log(path: Path) -> ClientLog:
    """Broken lines are left out. Raises `LogError`."""
    records = [one for one in read_log(path) if isinstance(one, LogRecord)]
    found = hashlib.sha256()
    texts = {}
    for one in records:
        found.update(b"%s\0%s\0%s\n" % (one.topic.encode(), one.key or b"", one.value))
        if one.topic is Topic.ITEMS:
            told = _announced(one.value)
            if told is not None:
                texts[told[0]] = told[1]
    return ClientLog(records, found.hexdigest(), texts)


def _announced(value: bytes) -> tuple[str, str] | None:
    """An item's id and the digest of what is said of it; None of what is no announcement, which
    becomes a dead letter when it is played.
    """
    try:
        told = load_json(value)
    except InvalidEventError:
        return None
    if not isinstance(told, dict) or not isinstance(told.get("item_id"), str):
        return None
    words = {name: one for name, one in told.items() if name not in _NOT_TEXT}
    return told["item_id"], text_digest(orjson.dumps(words, option=orjson.OPT_SORT_KEYS).decode())
