"""What a format's reader yields, and what a format is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream.replay.importers.values import DirtyError
from upwell.events import Topic

__all__ = ["Draft", "Files", "Head", "Kind", "item"]

Head = Sequence[str]
"""The first lines of a file that have something on them, without their ends."""
Files = Mapping[str, Sequence[Path]]
"""A format's files by their role."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event without event_id and ts. ts: UTC ms; None for an item whose time nobody knows."""

    topic: Topic
    value: dict[str, Any]
    ts: int | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A format. shapes: of each role, whether a file's head is one. needed: the roles without
    which there are no events. repeats: two equal rows are two events, as two of the same article
    bought at once are.
    """

    name: str
    about: str
    shapes: Mapping[str, Callable[[Head], bool]]
    needed: frozenset[str]
    read: Callable[[Files, Counter[str]], Iterator[Draft | DirtyError]]
    repeats: bool = False


def item(item_id: str, title: str | None, ts: int | None = None, **others: Any) -> Draft:
    """An announcement; what is None or empty is left out."""
    value = {"item_id": item_id, "title": title or "", **others}
    kept = {name: one for name, one in value.items() if one or name == "title"}
    return Draft(Topic.ITEMS, kept, ts)
