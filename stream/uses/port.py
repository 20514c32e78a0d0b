"""What a use is to the loop: what it reads, how it takes one event, what it keeps. The loop does
the rest: dead letters, pseudonyms, vectors, exactly one effect, checkpoints, figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from upwell.uses.shape import Shape
from upwell.uses.topics import UseTopic

__all__ = ["Heard", "Published", "Refused", "Use"]


@dataclass(frozen=True, slots=True)
class Heard:
    """A valid event, its text without personal data. by: the pseudonym of its user, empty where it
    has none. at_ms: when the broker had it, UTC ms. vectors: (n, D) of the use's `texts` of it.
    """

    event: Any
    by: str
    at_ms: int
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Published:
    """A record that is to go out. value: a dataclass that JSON can take."""

    topic: UseTopic
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Refused:
    """The event cannot be heeded: a dead letter, with a reason of `stream.chain.validate`."""

    reason: str
    detail: str


class Use(Protocol):
    """Called by one thread. What it keeps and publishes follows from the events and the times of
    `idle` alone, in their order: they may be taken again from an older checkpoint.

    name: one word. steps: the topic of what it has read. inputs: its topics, of which of two
    records of the same time the former's goes first.
    """

    @property
    def name(self) -> str: ...

    @property
    def steps(self) -> UseTopic: ...

    @property
    def inputs(self) -> Mapping[UseTopic, Shape]: ...

    @property
    def outputs(self) -> Sequence[UseTopic]: ...

    def clean(self, event: Any) -> Any:
        """The event with its texts as `stream.chain.scrub` leaves them."""
        ...

    def texts(self, event: Any) -> Sequence[str]:
        """What it needs vectors of."""
        ...

    def take(self, heard: Heard) -> Iterable[Published | Refused]:
        """One event, in the order of the log."""
        ...

    def idle(self, now_ms: int) -> Iterable[Published]:
        """Nothing has come for a while: what is to be told by the clock alone, UTC ms."""
        ...

    def forget(self, by: str) -> int:
        """Remove what it keeps of a user; how many things that were."""
        ...

    def merge(self, guest: str, by: str) -> None:
        """What it keeps of a guest (pseudonym) is a user's from here on."""
        ...

    def held(self, by: str) -> Sequence[Mapping[str, Any]]:
        """What `forget` would remove, JSON-ready."""
        ...

    def arrays(self) -> Mapping[str, NDArray[Any]]: ...

    def meta(self) -> Mapping[str, Any]: ...

    def restore(self, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
        """What `arrays` and `meta` told. Raises `ModelError`."""
        ...

    def figures(self) -> Mapping[str, Any]:
        """What it counted since its beginning, and how much it keeps: of `stream.metrics`."""
        ...
