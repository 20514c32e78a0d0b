"""A topic `examples` as serve writes it, made of steps: events, merges and requests to forget. It
says by itself which examples a learner that never saw the forgotten would have had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from stream.chain.effects import Erasure
from stream.chain.wire import encode_erasure, encode_examples
from upwell.values import Example, Interaction

__all__ = ["Forget", "Kept", "Merge", "Step", "Taken", "Topic", "topic_of"]

PARTITIONS = 2


@dataclass(frozen=True)
class Taken:
    """A user (by number) rates an item."""

    user: int
    item: int
    stars: int = 5


@dataclass(frozen=True)
class Merge:
    """A guest becomes a user."""

    guest: int
    user: int


@dataclass(frozen=True)
class Forget:
    """With their guests."""

    user: int


Step = Taken | Merge | Forget


@dataclass(frozen=True)
class Kept:
    """As Kafka gives it, as far as it is read here."""

    partition: int
    offset: int
    timestamp: int
    value: bytes


@dataclass
class Topic:
    """records: of each partition. learned: that a learner without the forgotten would learn, by
    step. ends: the next offsets.
    """

    records: dict[int, list[Kept]] = field(default_factory=lambda: {0: [], 1: []})
    learned: list[Example] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=lambda: {0: 0, 1: 0})

    def append(self, partition: int, at: int, value: bytes | None) -> None:
        """None: an offset without a record, as markers of transactions have."""
        offset = self.ends[partition]
        self.ends[partition] += 1
        if value is not None:
            self.records[partition].append(Kept(partition, offset, at, value))

    def read(self, partition: int, start: int) -> Iterator[Any]:
        return (one for one in self.records[partition] if one.offset >= start)


@dataclass
class _Users:
    past: dict[int, list[Interaction]] = field(default_factory=lambda: defaultdict(list))
    guests: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))


def topic_of(steps: Sequence[Step], without: bool = False, together: int = 3) -> Topic:
    """without: what the forgotten took was never written, nor an erasure; all else stands where it
    stood. together: examples in a record.
    """
    topic, users, gone = Topic(), _Users(), _gone(steps)
    waiting: dict[int, list[Example]] = {number: [] for number in range(PARTITIONS)}

    def flush(number: int, at: int) -> None:
        some, waiting[number] = waiting[number], []
        kept = [one for one in some if one.offset not in gone]
        topic.learned += kept
        written = kept if without else some
        if some:
            topic.append(number, at, encode_examples(written) if written else None)

    for at, step in enumerate(steps):
        if isinstance(step, Taken):
            number = step.user % PARTITIONS
            waiting[number].append(_example(users, at, step))
            if len(waiting[number]) == together:
                flush(number, at)
        elif isinstance(step, Merge):
            users.guests[step.user] |= {step.guest}
            users.past[step.user] += users.past.pop(step.guest, [])
            users.past[step.user].sort(key=lambda one: one.ts)
        else:
            for number in range(PARTITIONS):
                flush(number, at)
            for user in (*sorted(users.guests.pop(step.user, ())), step.user):
                users.past.pop(user, None)
                erasure = Erasure(f"ü{user}", "controls-0", at, 1, guest=user != step.user)
                value = None if without else encode_erasure(erasure)
                topic.append(user % PARTITIONS, at, value)
    for number in range(PARTITIONS):
        flush(number, len(steps))
    return topic


def _gone(steps: Sequence[Step]) -> set[int]:
    """The steps whose example is of someone who is forgotten later."""
    taken: dict[int, set[int]] = defaultdict(set)
    guests: dict[int, set[int]] = defaultdict(set)
    gone: set[int] = set()
    for at, step in enumerate(steps):
        if isinstance(step, Taken):
            taken[step.user].add(at)
        elif isinstance(step, Merge):
            guests[step.user].add(step.guest)
        else:
            for user in (step.user, *guests.pop(step.user, ())):
                gone |= taken.pop(user, set())
    return gone


def _example(users: _Users, at: int, step: Taken) -> Example:
    source, before = f"reviews-{step.user % PARTITIONS}", users.past[step.user]
    event = Interaction(f"e{at}", at, f"i{step.item}", "review", float(step.stars), source, at)
    example = Example(
        source=source,
        offset=at,
        user=f"ü{step.user}",
        event=event,
        history=tuple(before[-50:]),
        intent=None,
        user_events=len(before),
        tested=True,
        had=tuple(str(one.item_id) for one in before),
    )
    users.past[step.user] = [*before, event]
    return example
