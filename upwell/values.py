"""The values that stages hand to each other: a user's state, an item as every process needs it, a
training example.

They live here because stream, learner and store may not know each other. Vectors are numpy float32
arrays of the encoder's dimension d; a frozen value's arrays are never written to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "GONE_SCHEME",
    "HIDING_KINDS",
    "LATER",
    "LIKED_COMPLETION",
    "LIKED_RATING",
    "NEGATIVE_KINDS",
    "OPINION_KINDS",
    "PICTURE_REASONS",
    "POSITIVE_KINDS",
    "TAKEN_BACK",
    "UNDOING_KINDS",
    "CatalogueItem",
    "Example",
    "Guest",
    "Interaction",
    "MergedInto",
    "Pending",
    "SeenPicture",
    "Shown",
    "Tag",
    "UserState",
    "Vector",
    "speaks_for",
]

Vector = NDArray[np.float32]

POSITIVE_KINDS = frozenset(
    {"click", "cart", "purchase", "like", "share", "follow", "save", "play", "add_to_list"}
)
HIDING_KINDS = frozenset({"hide", "report"})  # the user wants to see the item no more
NEGATIVE_KINDS = frozenset({"dislike", "skip"}) | HIDING_KINDS
TAKEN_BACK = "unlike"
"""The kind of an event that takes back what the user said of an item."""
OPINION_KINDS = frozenset({"like", "dislike", TAKEN_BACK}) | HIDING_KINDS
UNDOING_KINDS = frozenset({TAKEN_BACK, "unsave", "remove_from_list"})
"""Kinds that take back what another has said; none stands in a history that is learned from."""
_SETTLED = dict.fromkeys(OPINION_KINDS, "opinion")
_SETTLED |= dict.fromkeys(("save", "unsave"), "saved")
_SETTLED |= dict.fromkeys(("add_to_list", "remove_from_list"), "listed")
LIKED_RATING = 3.5
LIKED_COMPLETION = 0.5  # of a play, from which on it speaks for the item
LATER = "later"
GONE_SCHEME = "blake2b:"
"""Begins what is kept of a picture that was its own data: a digest, no way to have it again."""
PICTURE_REASONS = (
    *("malformed", "scheme", "not_set", "outside", "missing", "host", "private_address"),
    *("redirect", "status", "unreachable", "timeout", "too_large", "type", "pixels", "broken"),
    *("gone", LATER),
)
"""Why an item goes on without its picture (docs/pictures.md)."""


def speaks_for(kind: str, rating: float | None = None, completion: float | None = None) -> bool:
    """Whether an event says that its user likes the item."""
    if completion is not None:
        return completion >= LIKED_COMPLETION
    return kind in POSITIVE_KINDS if rating is None else rating >= LIKED_RATING


@dataclass(frozen=True, slots=True)
class Interaction:
    """One event of a user's history. `kind` is an `Action`, `review` or `query`; `item_id` is None
    for a query.

    source, offset: the `topic-partition` and offset it came from, so that a redelivery is told from
    an app's own retry. completion: of a play, the share that was played.
    """

    event_id: str
    ts: int
    item_id: str | None
    kind: str
    rating: float | None = None
    source: str = ""
    offset: int = -1
    completion: float | None = None

    @property
    def liked(self) -> bool:
        """A target of the protocol: click-like, rated 3.5 and above, or played to the half."""
        return speaks_for(self.kind, self.rating, self.completion)

    @property
    def opinion(self) -> bool:
        """Says what the user thinks of the item, or that they take that back: of several on one
        item only the newest counts.
        """
        return self.rating is not None or self.kind in OPINION_KINDS

    @property
    def settles(self) -> str | None:
        """What it settles of the item: of several events that settle the same only the newest
        counts. `opinion`, `saved`, `listed`; None of what only adds to what was before.
        """
        return "opinion" if self.rating is not None else _SETTLED.get(self.kind)

    @property
    def order(self) -> tuple[int, int, str]:
        """History is sorted by this: time, ties by event_id (shorter first, so that numbered ids
        keep their order).
        """
        return (self.ts, len(self.event_id), self.event_id)


@dataclass(frozen=True, slots=True)
class Pending:
    """An event on an item that was not announced yet: it is folded into the intent once the item
    is.
    """

    item_id: str
    ts: int
    weight: float


@dataclass(frozen=True, slots=True)
class Shown:
    """One impression: the user saw these items."""

    event_id: str
    ts: int
    item_ids: tuple[str, ...]

    @property
    def order(self) -> tuple[int, int, str]:
        """As of an `Interaction`."""
        return (self.ts, len(self.event_id), self.event_id)


@dataclass(frozen=True, slots=True)
class Guest:
    """A user who was merged into another. partition: of the guest; covers: of the guest's events,
    the last offset per `topic-partition` that the other has.
    """

    partition: int
    covers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MergedInto:
    """Whom a guest's events go to. user: the pseudonym; partition: theirs. whole: from the first
    one on, else what came since another had them.
    """

    user: str
    partition: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Tag:
    """An operator's last word on whether a user is in a segment."""

    ts: int
    event_id: str
    on: bool

    @property
    def order(self) -> tuple[int, int, str]:
        """As of an `Interaction`."""
        return (self.ts, len(self.event_id), self.event_id)


@dataclass(frozen=True, slots=True)
class UserState:
    """All that is kept of one user, written whole by the one worker that owns the user's partition.

    user: the pseudonym, never the app's id.
    intent: (d,) sum of signed event vectors, each decayed from its own ts to `intent_ts` (UTC ms);
    not normalized. history: the newest interactions in `Interaction.order`, oldest first, bounded.
    had: item ids that no list may show again, oldest first, bounded. events: how many events were
    ever folded in. watermark: per `topic-partition` the last offset folded in. merged: guests who
    were merged into this user, by pseudonym, bounded. merged_into: whom this guest's events go to.
    shown: the newest impressions in `Shown.order`, oldest first, bounded. tags: of segments of
    users, by name, bounded.
    """

    user: str
    intent: Vector
    intent_ts: int = 0
    history: tuple[Interaction, ...] = ()
    had: tuple[str, ...] = ()
    pending: tuple[Pending, ...] = ()
    events: int = 0
    watermark: Mapping[str, int] = field(default_factory=dict)
    merged: Mapping[str, Guest] = field(default_factory=dict)
    merged_into: MergedInto | None = None
    shown: tuple[Shown, ...] = ()
    tags: Mapping[str, Tag] = field(default_factory=dict)

    @property
    def sequence(self) -> int:
        """Grows with every event folded in; a store refuses a write whose sequence is not above the
        stored one.
        """
        return sum(offset + 1 for offset in self.watermark.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueItem:
    """An item as every process needs it. `vector`: (d,) unit length. `revision`: of the encoder
    that made it.

    `sequence` is when its newest record was appended, UTC ms: a store refuses an older one, an
    equal one replaces.
    `boost` is added to the item's score. relations: the name of each, and the ids of the items that
    it leads to; triples, values: likewise what `knowledge` says beside the item's own record, items
    and values. waiting: `knowledge` names it, and nobody has announced it yet. picture: (p,) of its
    picture, which the store alone keeps, None where it has none. pictured: of the vector, what
    reads and places pictures, `/`, and the picture's content (`none` where it could not be had);
    empty where nobody looked. title: empty of a picture alone. blocked: by which list of the
    operator's policy; each process finds it, none stores or sends it. group: see `Item`.
    """

    item_id: str
    ts: int
    title: str
    vector: Vector
    revision: str
    text: str | None = None
    categories: tuple[str, ...] = ()
    relations: tuple[tuple[str, tuple[str, ...]], ...] = ()
    brand: str | None = None
    price: float | None = None
    image: str | None = None
    language: str | None = None
    deleted: bool = False
    banned: bool = False
    pinned: bool = False
    boost: float = 0.0
    sequence: int = 0
    picture: Vector | None = None
    pictured: str = ""
    blocked: str = ""
    triples: tuple[tuple[str, tuple[str, ...]], ...] = ()
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    waiting: bool = False
    group: str | None = None

    @property
    def available(self) -> bool:
        """May stand in a list."""
        return not (self.deleted or self.banned or self.blocked)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPicture:
    """A picture's vector, (p,) unit length of numbers in half precision, and 16 hexadecimal digits
    of its content; or why there is none, one of `PICTURE_REASONS`, and what of it.
    """

    vector: Vector | None = None
    content: str = ""
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One event on an item with its user's state just before it: what the learner tests itself on,
    then learns from.

    source, offset: the event's `topic-partition` (no prefix) and offset; the learner's watermark
    per source skips what it has learned. history: the user's newest item interactions before the
    event, oldest first, at most 50. intent: (d,) float32 intent before the event (unit length or
    zero), None where the user had none. user_events: how many events of this user came before. had:
    what the user had before, only where `tested`; `tested` is drawn by lot. beside: only where
    `tested`, the items that the event's was shown among, each with its unanswered impressions by
    then; empty where that says nothing. segments: likewise, those that UPWELL_FAIR_SEGMENTS names.
    """

    source: str
    offset: int
    user: str
    event: Interaction
    history: tuple[Interaction, ...]
    intent: Vector | None
    user_events: int
    tested: bool
    had: tuple[str, ...] = ()
    beside: tuple[tuple[str, float], ...] = ()
    segments: tuple[str, ...] = ()
