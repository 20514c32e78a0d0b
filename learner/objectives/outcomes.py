"""What an event says of items that its user opened before: that one of them was bought, that they
stayed with it, that they came back after it.

Each is read from the event and the history before it, so nothing is kept of users, and the same
events say the same whatever came together. Of a user each item counts once, as far as the history
reaches. It knows nothing about rows or rates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upwell.values import Interaction

__all__ = [
    "BOUGHT",
    "BUYING_KINDS",
    "LEFT",
    "LONG_DWELL_MS",
    "OPENED",
    "OPENING_KINDS",
    "RETURNED",
    "RETURN_MS",
    "SESSION_MS",
    "STAYED",
    "outcomes",
]

OPENED, BOUGHT, LEFT, STAYED, RETURNED = range(5)
"""An item was opened for the first time; bought after that; left for another one, so that the time
is known; left late; and its user came back for another session.
"""
OPENING_KINDS = frozenset({"view", "click", "play"})
BUYING_KINDS = frozenset({"cart", "purchase", "add_to_list"})
SESSION_MS = 1_800_000
"""Events of a user that are farther apart are of two sessions: half an hour."""
LONG_DWELL_MS = 30_000
RETURN_MS = 7 * 86_400_000
"""Who comes back later came back for something else: a week."""


def outcomes(event: Interaction, history: Sequence[Interaction]) -> Iterator[tuple[int, str]]:
    """Pairs of one of the five and an item. event: on an item. history: the user's before it,
    oldest first, on items alone.
    """
    opened: dict[str, int] = {}
    for place, one in enumerate(history):
        if one.kind in OPENING_KINDS and one.item_id is not None:
            opened.setdefault(one.item_id, place)
    item = str(event.item_id)
    if event.kind in OPENING_KINDS and item not in opened:
        yield OPENED, item
        if event.completion is not None:
            yield LEFT, item
            if event.liked:
                yield STAYED, item
    if event.kind in BUYING_KINDS and item in opened and not _bought(item, history):
        yield BOUGHT, item
    if history and event.ts > 0 and history[-1].ts > 0:  # 0 stands for no time
        yield from _of_session(event, history, opened)


def _bought(item: str, history: Sequence[Interaction]) -> bool:
    return any(one.item_id == item and one.kind in BUYING_KINDS for one in history)


def _of_session(
    event: Interaction, history: Sequence[Interaction], opened: dict[str, int]
) -> Iterator[tuple[int, str]]:
    """What the event ends, or comes after."""
    gap, start = event.ts - history[-1].ts, _session_start(history)
    if gap <= SESSION_MS:
        yield from _left(event, history, opened, start)
    elif gap <= RETURN_MS:
        for item, place in opened.items():
            if place >= start:
                yield RETURNED, item


def _left(
    event: Interaction, history: Sequence[Interaction], opened: dict[str, int], start: int
) -> Iterator[tuple[int, str]]:
    """Of the item that the user goes on from: from its first opening on nothing else came between.
    A play that says how much was played has said so already.
    """
    item, place = history[-1].item_id, len(history) - 1
    if item is None or item == event.item_id:
        return
    while place > start and history[place - 1].item_id == item:
        place -= 1
    if opened.get(item) == place and history[place].completion is None:
        yield LEFT, item
        if event.ts - history[place].ts >= LONG_DWELL_MS:
            yield STAYED, item


def _session_start(history: Sequence[Interaction]) -> int:
    """The place of the first event of the newest session."""
    place = len(history) - 1
    while place > 0 and history[place].ts - history[place - 1].ts <= SESSION_MS:
        place -= 1
    return place
