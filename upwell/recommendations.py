"""What Upwell publishes: lists whose entries explain themselves, dead letters, and confirmations
that a user was forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Confirmation", "DeadLetter", "Entry", "Reason", "Recommendations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One signal's share of an entry's score.

    `because` names the item or the words that caused it, where there is one. relation: by which
    that item is related to the entry, as it was announced or as `knowledge` says; value: that both
    share in it.
    """

    signal: str
    weight: float
    because: str | None = None
    relation: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One recommended item. The weights of `reasons` sum to `score`, strongest first; none where
    nothing is known.

    propensity: the exact probability that this item stands at this place, given the user's state
    and the model; 1 where no lot was cast. explored: it stands here by lot, not by its score.
    """

    item_id: str
    score: float
    reasons: tuple[Reason, ...]
    title: str | None = None
    propensity: float = 1.0
    explored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendations:
    """A fresh list for one user, best first.

    `trigger`: the event_id (or request_id) that caused it. `covers`: the last offset, per
    `topic-partition`, of this user's events that the list knows. `list_id` is derived from user and
    trigger: a list seen twice is known as the same. `latency_ms`: from the trigger's append to the
    broker until the list was handed to the producer. `surface`: of the request that it answers,
    where that named one.
    """

    list_id: str
    user_id: str
    items: tuple[Entry, ...]
    model_version: str
    trigger: str
    covers: dict[str, int]
    ts: int
    latency_ms: int
    surface: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A user was forgotten. event_id: of the `forget_user` that asked for it. ts: UTC ms.

    removed: how many of each kind were found and removed by the attempt that is confirmed (a crash
    in between makes a second one, which finds less): state, vector (stored with the state),
    letters, examples (windows of the replay buffer), checkpoints. remains: what cannot be taken
    back, a sentence each.
    """

    user_id: str
    event_id: str
    removed: Mapping[str, int]
    remains: tuple[str, ...]
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that is no event: why, where it stood (`place`, the letter's own key on
    `dead_letters`), and its very bytes.

    key: of the record, as it was sent. cut: `raw` has only the first of the bytes. user: the
    pseudonym, where a user could be told. appended: when the broker first got the bytes, UTC ms,
    None in letters of older versions. replayed_at: when the bytes were sent to their topic again,
    UTC ms; from then on `raw` and `key` are empty.
    """

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    raw: bytes
    ts: int
    key: bytes | None = None
    cut: bool = False
    user: str | None = None
    appended: int | None = None
    replayed_at: int | None = None

    @property
    def place(self) -> str:
        """`topic-partition-offset` of the record."""
        return f"{self.topic}-{self.partition}-{self.offset}"
