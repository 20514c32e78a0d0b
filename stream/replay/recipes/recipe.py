"""What a recipe is: where its events come from, and what is done with them.

It knows nothing about which recipes there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import Encoder

__all__ = ["Asked", "Outcome", "Play", "Recipe", "Source", "record"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a recipe is asked for. data: a file or folder of the user's own, None where none was
    named. events: at most, None where the recipe's own number holds. seed: of every draw.
    """

    data: Path | None
    events: int | None
    seed: int


@dataclass(frozen=True, slots=True)
class Source:
    """said: one sentence on what these events are, and whether they are drawn or recorded.
    records: announcements and events, in the order in which they come.
    """

    said: str
    records: Sequence[LogRecord]


@dataclass(frozen=True, slots=True)
class Outcome:
    """title, heads, rows: of the table, plain text. figures: the same and more, JSON-ready."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: Mapping[str, Any]


class Play(Protocol):
    """Does with a source what the recipe is about. environment: the variables that hold, the
    recipe's own among them. moved: is called with how many records are done. Raises `UpwellError`.
    """

    def __call__(
        self,
        source: Source,
        environment: Mapping[str, str],
        encoder: Encoder,
        moved: Callable[[int], None],
    ) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """about: what for, a few words. read: its events; raises `LogError` where something is missing,
    with what it is and how to have it. play: what is done with them.
    """

    about: str
    read: Callable[[Asked], Source]
    play: Play


def record(line: int, topic: Topic, key: str, value: Mapping[str, Any]) -> LogRecord:
    """One line of a log that is made here. line: from 1."""
    return LogRecord(line, topic, key.encode(), orjson.dumps(value))
