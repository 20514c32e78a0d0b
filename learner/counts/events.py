"""Users' histories as columns, all users one behind the other; and as counting and ranking read
them, newest first, each item once.

It knows nothing about what is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel
from upwell.values import LIKED_RATING, OPINION_KINDS, POSITIVE_KINDS, Interaction

__all__ = [
    "HISTORY",
    "KINDS",
    "LIKED_KINDS",
    "ItemEvents",
    "Past",
    "code_of",
    "item_events",
    "past_of",
]

HISTORY = 50
KINDS = (
    *("view", "click", "cart", "purchase", "like", "dislike", "skip", "share", "review"),
    *("comment", "follow", "save", "hide", "report", "play", "add_to_list"),
)
"""What a code in `kinds` stands for, which checkpoints keep: what is new comes last. What was taken
back stands in no history, and a query is on no item.
"""
LIKED_KINDS = np.array([kind in POSITIVE_KINDS for kind in KINDS])
"""(kinds,) which say by themselves that the user likes the item."""
_OPINION_KINDS = np.array([kind in OPINION_KINDS for kind in KINDS])
_CODE = {kind: code for code, kind in enumerate(KINDS)}


def code_of(entry: Interaction) -> int:
    """Of an event on an item: its place in `KINDS`, a play that was left early being a view."""
    return _CODE["view" if entry.completion is not None and not entry.liked else entry.kind]


class ItemEvents(NamedTuple):
    """Events on items that have a row, those of user u from starts[u] to starts[u + 1], oldest
    first.

    rows: (n,) int32. kinds: (n,) uint8, places in `KINDS`. ratings: (n,) float32 stars, nan for
    none. ts: (n,) int64 UTC ms. starts: (b + 1,).
    """

    rows: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    ratings: NDArray[np.float32]
    ts: NDArray[np.int64]
    starts: NDArray[np.int64]


class Past(NamedTuple):
    """Of each user the items of their newest `HISTORY` events, newest first, each once, where it
    was last met: those of user u from starts[u] to starts[u + 1].

    liked: as the user's last opinion says, and if there is none, if it ever was. taken: how many of
    these events say by themselves that the user likes the item.
    """

    history: NDArray[np.int32]
    liked: NDArray[np.bool_]
    starts: NDArray[np.int64]
    taken: NDArray[np.int32]


def item_events(
    histories: Sequence[Sequence[Interaction]], row_of: Callable[[str], int | None]
) -> ItemEvents:
    """b histories, oldest first. row_of: an item's row, None where it has none.

    An entry that stands in several histories (a user's consecutive examples share nearly all) is
    read once, if it is the same object.
    """
    entries = list(chain.from_iterable(histories))
    names = np.fromiter(map(id, entries), np.int64, len(entries))
    _, first, places = np.unique(names, return_index=True, return_inverse=True)
    order = np.argsort(first)  # rows are made in the order of the events, wherever memory is
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    distinct = [entries[place] for place in first[order]]
    rows = np.array([_row(one, row_of) for one in distinct], np.int32)
    at = rank[places]  # (n,) into `distinct`
    kept = rows[at] >= 0
    at = at[kept]
    ends = np.cumsum([len(one) for one in histories], dtype=np.int64)
    before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    return ItemEvents(
        rows[at],
        np.array([0 if one.item_id is None else code_of(one) for one in distinct], np.uint8)[at],
        np.array([np.nan if one.rating is None else one.rating for one in distinct], np.float32)[
            at
        ],
        np.array([one.ts for one in distinct], np.int64)[at],
        np.concatenate([[0], before[ends]]).astype(np.int64),
    )


def _row(entry: Interaction, row_of: Callable[[str], int | None]) -> int:
    row = None if entry.item_id is None else row_of(entry.item_id)
    return -1 if row is None else row


def past_of(events: ItemEvents) -> Past:
    """What counting and ranking read of them."""
    rated = ~np.isnan(events.ratings)
    liked = np.where(rated, events.ratings >= LIKED_RATING, LIKED_KINDS[events.kinds])
    opinion = rated | _OPINION_KINDS[events.kinds]
    history, flags = np.zeros(len(events.rows), np.int32), np.zeros(len(events.rows), np.bool_)
    starts = np.zeros(len(events.starts), np.int64)
    taken = np.zeros(len(events.rows), np.int32)
    _newest_first(events.rows, liked, opinion, events.starts, history, flags, starts, taken)
    return Past(history[: starts[-1]], flags[: starts[-1]], starts, taken[: starts[-1]])


@kernel
def _newest_first(
    rows: NDArray[np.int32],
    liked: NDArray[np.bool_],
    opinion: NDArray[np.bool_],
    starts: NDArray[np.int64],
    history: NDArray[np.int32],
    history_liked: NDArray[np.bool_],
    history_starts: NDArray[np.int64],
    taken: NDArray[np.int32],
) -> None:
    judged = np.zeros(len(rows), np.bool_)
    held = 0
    for user in range(len(starts) - 1):
        first, end = held, starts[user + 1]
        for back in range(min(HISTORY, end - starts[user])):
            event = end - 1 - back
            place = first
            while place < held and history[place] != rows[event]:
                place += 1
            if place == held:
                history[place], history_liked[place] = rows[event], liked[event]
                judged[place], taken[place] = opinion[event], 0
                held += 1
            elif not judged[place]:
                judged[place] = opinion[event]
                history_liked[place] = liked[event] | (history_liked[place] & ~opinion[event])
            taken[place] += liked[event]
        history_starts[user + 1] = held
