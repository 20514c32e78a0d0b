"""What one micro-batch asks of the world, as plain values.

Who carries it out, and how, is not known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from stream.chain.fences import Fence
from stream.chain.pictures import Missed
from upwell.knowledge import Rule
from upwell.recommendations import DeadLetter, Entry
from upwell.system.trace_context import Headers
from upwell.values import CatalogueItem, Example, UserState

__all__ = [
    "Decided",
    "Effects",
    "Erasure",
    "Forgotten",
    "FreshList",
    "ItemEffects",
    "Rerouted",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshList:
    """A list before it is published: all of `Recommendations` but the time. `appended_ms`: when its
    trigger reached the broker. `trace`: headers of the trigger's trace.
    """

    list_id: str
    user_id: str
    items: tuple[Entry, ...]
    model_version: str
    trigger: str
    covers: dict[str, int]
    appended_ms: int
    surface: str | None = None
    trace: Headers = ()


@dataclass(frozen=True, slots=True)
class Rerouted:
    """What goes to the worker that owns its user, by the topic `rerouted`: an event that came on
    another partition, or what `stream.chain.merge` makes, which has no key and names its partition.
    first_ms: when the event was first appended, UTC ms. trace: headers of its trace.
    """

    key: bytes | None
    value: bytes
    partition: int | None = None
    first_ms: int | None = None
    trace: Headers = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """A user who is to be forgotten, on the way from serve to the learner.

    user: the pseudonym. source, offset: where the request stands, which alone names the app's
    user_id. states: found and removed, 0 or 1. home: the partition of the user's examples, where
    the request came by `rerouted`. guest: of the user who asked, which is not confirmed.
    """

    user: str
    source: str
    offset: int
    states: int
    home: int | None = None
    guest: bool = False

    @property
    def partition(self) -> int:
        """Of the source, and of all the user's examples."""
        return int(self.source.rpartition("-")[2]) if self.home is None else self.home


@dataclass(frozen=True, slots=True)
class Forgotten:
    """One entry of the ledger of erasures, which outlives every other topic's retention.

    user: the pseudonym. appended_ms: when the broker appended the request, UTC ms: what is older is
    forgotten. source, offset: where it stood. partition: of all the user's examples.
    """

    user: str
    appended_ms: int
    source: str
    offset: int
    partition: int

    @property
    def order(self) -> tuple[int, str, int]:
        """Of several entries of one user the last counts."""
        return (self.appended_ms, self.source, self.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What controls come to beside items and users. entries: of the audit log, with their
    partitions; they are published before all else. overrides: partition, override_id and what
    stands of it, None of nothing. strays: key, value and headers of controls that came on another
    partition than their override's.
    """

    entries: tuple[tuple[int, bytes], ...] = ()
    overrides: tuple[tuple[int, bytes, bytes | None], ...] = ()
    letters: tuple[DeadLetter, ...] = ()
    strays: tuple[tuple[bytes, bytes, Headers], ...] = ()

    def with_more(self, more: Decided) -> Decided:
        """These, then those."""
        return Decided(
            entries=self.entries + more.entries,
            overrides=self.overrides + more.overrides,
            letters=self.letters + more.letters,
            strays=self.strays + more.strays,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Of the events of users. States are removed and written first, then the rest is published,
    then the records are acknowledged.

    fences: of the requests to forget in the batch, by pseudonym. forgotten: pseudonyms whose stored
    states go. erasures: one for each of the requests, after the examples of its batch. withdrawn:
    override_ids that are to be taken back, since they name one who is forgotten. counts: what
    happened, by name: events, lists, dead_letters, rerouted, and each reason for which an event was
    dropped. unknown_fields: fields that were kept out, by `topic.field`. traces: headers of the
    traces of records, by source and offset.
    """

    states: tuple[UserState, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    rerouted: tuple[Rerouted, ...] = ()
    lists: tuple[FreshList, ...] = ()
    examples: tuple[Example, ...] = ()
    fences: Mapping[str, Fence] = field(default_factory=dict)
    forgotten: tuple[str, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    withdrawn: tuple[tuple[str, Erasure], ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    traces: Mapping[tuple[str, int], Headers] = field(default_factory=dict)

    @property
    def ledger(self) -> tuple[Forgotten, ...]:
        """What the ledger is told of the erasures."""
        return tuple(
            Forgotten(
                one.user,
                self.fences[one.user].appended_ms,
                one.source,
                one.offset,
                one.partition,
            )
            for one in self.erasures
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEffects:
    """Of announcements and operators' controls.

    Items are written first, then published on `catalogue`, then acknowledged. missed: items that go
    on without their picture. decided: what controls come to. rules: by id, None of those that were
    taken back.
    """

    items: tuple[CatalogueItem, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    missed: tuple[Missed, ...] = ()
    decided: Decided = Decided()
    rules: Mapping[str, Rule | None] = field(default_factory=dict)
