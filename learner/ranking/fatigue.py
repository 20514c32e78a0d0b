"""How worn items are for a user: impressions of them that were left unanswered, each fading with
time. An impression is answered by what the user does on the item, then or later. And what a user
turned down.

What is kept are the impressions themselves, so that any order of arrival gives the same. It knows
nothing about rows, nor about what being worn weighs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from upwell.values import HIDING_KINDS, NEGATIVE_KINDS, Interaction, Shown

__all__ = [
    "HALF_LIFE_MS",
    "MOST_IMPRESSIONS",
    "MOST_PLACES",
    "MOST_WORN",
    "beside",
    "disliked",
    "hidden",
    "with_shown",
    "worn",
]

HALF_LIFE_MS = 3 * 86_400_000
"""An item that wore off is half as worn after three days."""
MOST_WORN = 20.0
"""Impressions: what was shown more often is not more worn, so that anything can come back."""
MOST_IMPRESSIONS = 60
"""That are kept of a user, the newest."""
MOST_PLACES = 20
"""That are kept of an impression, the first: what stands below was hardly seen."""
ANSWER_MS = 86_400_000
"""An event on an item answers its newest impression, if that is no older."""


def with_shown(kept: Sequence[Shown], new: Shown) -> tuple[Shown, ...]:
    """`kept` and one more, oldest first, within the bounds; of one event_id the older stays."""
    new = Shown(new.event_id, new.ts, tuple(dict.fromkeys(new.item_ids))[:MOST_PLACES])
    same = next((one for one in kept if one.event_id == new.event_id), None)
    if same is not None and same.order <= new.order:
        return tuple(kept)
    found = sorted((*(one for one in kept if one is not same), new), key=lambda one: one.order)
    return tuple(found[-MOST_IMPRESSIONS:])


def worn(shown: Iterable[Shown], history: Iterable[Interaction], now_ms: int) -> dict[str, float]:
    """Of each item how many impressions by `now_ms` (UTC ms) are unanswered, at most `MOST_WORN`.

    history: of the user; a skip or a dislike answers nothing.
    """
    answered: dict[str, int] = {}
    for one in history:
        if one.item_id is not None and one.kind not in NEGATIVE_KINDS:
            answered[one.item_id] = max(one.ts, answered.get(one.item_id, one.ts))
    found: defaultdict[str, float] = defaultdict(float)
    for impression in shown:
        share = 0.5 ** (max(now_ms - impression.ts, 0) / HALF_LIFE_MS)
        for item_id in impression.item_ids:
            if item_id not in answered or impression.ts > answered[item_id]:
                found[item_id] += share
    return {item_id: min(count, MOST_WORN) for item_id, count in found.items()}


def beside(
    shown: Sequence[Shown], history: Sequence[Interaction], event: Interaction
) -> tuple[tuple[str, float], ...]:
    """The items among which the user chose that of `event`, in their order, each with how worn it
    was when they were shown; none where no impression says so, or where nothing was worn.

    shown, history: before the event.
    """
    for place in range(len(shown) - 1, -1, -1):
        one = shown[place]
        if one.ts <= event.ts <= one.ts + ANSWER_MS and event.item_id in one.item_ids:
            past = (entry for entry in history if entry.ts < one.ts)
            before = worn(shown[:place], past, one.ts)
            found = tuple((item_id, before.get(item_id, 0.0)) for item_id in one.item_ids)
            return found if any(count for _, count in found) else ()
    return ()


def disliked(history: Iterable[Interaction]) -> list[str]:
    """Items that the user's newest word speaks against, or that they skipped last."""
    last = {one.item_id: one for one in history if one.item_id is not None}
    return [
        item_id
        for item_id, one in last.items()
        if (one.opinion or one.kind in NEGATIVE_KINDS) and not one.liked
    ]


def hidden(history: Iterable[Interaction]) -> list[str]:
    """Items that the user hid or reported, of a history without what was taken back."""
    found = (one.item_id for one in history if one.kind in HIDING_KINDS)
    return [item_id for item_id in found if item_id is not None]
