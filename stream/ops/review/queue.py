"""The queue: items that somebody should look at, each with its reasons and the figures behind them.

Pure: counts in, rows out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType

from stream.chain.overrides.ledger import Kept
from stream.ops.review.alike import Alike
from stream.ops.review.seen import Seen

__all__ = ["Reason", "Row", "override_id_of", "queue", "undecided", "with_decisions"]

REPORTED_USERS, REPORTED_SHARE = 3, 0.2
"""So many users speak against it, and so large a part of those who said anything."""
DRIFT_USERS, DRIFT_Z = 20, 4.0
"""Users in both halves together, and standard errors by which the halves differ more than all items
do together: by chance one in 16,000 items has it.
"""
POPULAR_USERS, POPULAR_SHARE = 10, 0.05
"""Of what was announced lately: users in the newer half, and among the items taken most."""
SHOWN, KNOWN_USERS = 20, 3
"""Times in lists, not by lot, and fewer users than that who took it: little is known of it."""
_LONGEST = 200


class Reason(StrEnum):
    """Why somebody should look; the first comes first."""

    REPORTED = "reported"
    NEWLY_POPULAR = "newly_popular"
    DRIFTING = "drifting"
    LOW_CONFIDENCE = "low_confidence"
    LIKE_BANNED = "like_banned"


@dataclass(frozen=True, slots=True)
class Row:
    """An item. since: when the first of its reasons began to hold, by what is counted now; of a
    drift, when the newer half began. drift: standard errors, above 0 where more take it than
    before. like: the banned item that it is like. decided: what was decided of it in the queue and
    stands, or waits for approval. Times are UTC ms.
    """

    item_id: str
    title: str | None
    reasons: tuple[Reason, ...]
    since: int
    against: int
    now: int
    before: int
    drift: float
    shown: int
    announced: int | None
    like: Alike | None
    decided: Kept | None


def queue(
    seen: Mapping[str, Seen],
    since_ms: int,
    until_ms: int,
    alike: Mapping[str, Alike] = MappingProxyType({}),
) -> list[Row]:
    """Items with a reason, those with the strongest first, without what was decided of them
    (`with_decisions`). since_ms, until_ms: of what was counted, UTC ms. alike: of items that are
    like a banned one, by item_id.
    """
    share = _share_now(one for one in seen.values() if (one.announced or 0) < since_ms)
    popular = _popular(seen.values())
    middle = (since_ms + until_ms) // 2
    rows = []
    for item in seen.values():
        drift = _drift(len(item.now), len(item.before), share)
        new = (item.announced or 0) >= since_ms
        held: dict[Reason, int] = {}
        if _reported(item):
            held[Reason.REPORTED] = item.against_since(_bar(item))
        if new and len(item.now) >= popular:
            held[Reason.NEWLY_POPULAR] = sorted(item.now.values())[popular - 1]
        taken = len(item.now) + len(item.before)
        if not new and taken >= DRIFT_USERS and abs(drift) >= DRIFT_Z:
            held[Reason.DRIFTING] = middle
        if len(item.chosen) >= SHOWN and len(item.now.keys() | item.before) < KNOWN_USERS:
            held[Reason.LOW_CONFIDENCE] = sorted(item.chosen)[SHOWN - 1]
        like = alike.get(item.item_id)
        if like is not None:
            held[Reason.LIKE_BANNED] = max(like.ban.at, item.announced or 0)
        if held:
            rows.append(_row(item, held, drift, like))
    return sorted(rows, key=_order)


def with_decisions(
    rows: Iterable[Row], kept: Callable[[str], Kept | None], now_ms: int
) -> list[Row]:
    """The rows with what stands now of each decision; one whose time is over is none. kept: of an
    override_id. now_ms: UTC ms.
    """
    return [
        replace(one, decided=_decided(kept(override_id_of(one.item_id)), now_ms)) for one in rows
    ]


def undecided(rows: Iterable[Row]) -> list[Row]:
    """Those that wait for a person: of which nothing was decided, or which wait for a second one's
    approval.
    """
    return [one for one in rows if one.decided is None or one.decided.waiting is not None]


def override_id_of(item_id: str) -> str:
    """Of what is decided of an item in the queue: a later decision replaces it. An id too long for
    it stands as its digest.
    """
    plain = f"review:{item_id}"
    if len(plain) <= _LONGEST:
        return plain
    return f"review::{blake2b(item_id.encode(), digest_size=16).hexdigest()}"


def _row(item: Seen, held: Mapping[Reason, int], drift: float, like: Alike | None) -> Row:
    return Row(
        item_id=item.item_id,
        title=item.title,
        reasons=tuple(held),
        since=min(held.values()),
        against=item.against,
        now=len(item.now),
        before=len(item.before),
        drift=drift,
        shown=item.shown,
        announced=item.announced,
        like=like,
        decided=None,
    )


def _order(row: Row) -> tuple[int, int, float, int, float, str]:
    first = list(Reason).index(row.reasons[0])
    likeness = 0.0 if row.like is None else row.like.likeness
    return first, -row.against, -abs(row.drift), -row.shown, -likeness, row.item_id


def _reported(item: Seen) -> bool:
    return item.against >= _bar(item)


def _bar(item: Seen) -> int:
    """Users who have to speak against it."""
    return max(REPORTED_USERS, math.ceil(REPORTED_SHARE * len(item.words)))


def _share_now(items: Iterable[Seen]) -> float:
    """Of all that was taken of these, the part in the newer half."""
    now = before = 0
    for item in items:
        now, before = now + len(item.now), before + len(item.before)
    return now / (now + before) if now + before else 0.5


def _drift(now: int, before: int, share: float) -> float:
    both = now + before
    spread = math.sqrt(both * share * (1.0 - share))
    return (now - both * share) / spread if spread else 0.0


def _popular(items: Iterable[Seen]) -> int:
    """Users in the newer half, from which on an item is among those taken most."""
    taken = sorted((len(item.now) for item in items if item.now), reverse=True)
    most = taken[math.ceil(POPULAR_SHARE * len(taken)) - 1] if taken else 0
    return max(POPULAR_USERS, most)


def _decided(kept: Kept | None, now_ms: int) -> Kept | None:
    if kept is None or kept.waiting is not None:
        return kept
    over = kept.standing is not None and (kept.standing.until_ts or math.inf) <= now_ms
    return None if over or kept.standing is None else kept
