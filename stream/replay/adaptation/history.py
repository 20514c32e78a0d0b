"""A log as what fine-tuning needs: the items' texts, and what users did with them, by time.

What users have taken back is not in it: those who asked to be forgotten, reviews that were deleted.
A guest's events are those of the user whom they became. Words of users are scrubbed as in the
stream (`stream.chain.scrub`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from stream.chain.catalogue import changed, item_text
from stream.chain.scrub import scrub
from stream.chain.validate import decode
from stream.replay.log import BadLine, LogRecord
from upwell.errors import LogError
from upwell.events import Click, Control, ControlKind, Event, Item, Query, Review
from upwell.recommendations import DeadLetter
from upwell.values import LIKED_RATING, CatalogueItem, speaks_for

__all__ = ["Act", "History", "read_history"]


@dataclass(frozen=True, slots=True)
class Act:
    """One event of a user. ts: UTC ms. row: of the item, None for a search. text: the words of a
    search or of a review, scrubbed.
    """

    ts: int
    user: str
    row: int | None
    liked: bool = False
    text: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """texts, categories: of each item, by row. acts: by time, those of one moment in the log's
    order. left_out: lines that are no record or no event.
    """

    texts: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    acts: tuple[Act, ...]
    left_out: int


def read_history(
    lines: Iterable[LogRecord | BadLine],
    now_ms: int,
    known: Mapping[str, CatalogueItem] | None = None,
) -> History:
    """All of the lines. Events on items that nobody announced are left out. Raises `LogError` where
    there is no item or no event.

    now_ms: UTC ms, against which times in the future are told. known: items that were announced
    before.
    """
    events: list[Event] = []
    left_out = 0
    for line in lines:
        event = _event(line, now_ms)
        if event is None:
            left_out += 1
        else:
            events.append(event)
    items = _catalogue(known or {}, (one for one in events if isinstance(one, Item)))
    rows = {item_id: row for row, item_id in enumerate(items)}
    acts = tuple(sorted(_acts(events, rows), key=lambda act: act.ts))
    if not items or not acts:
        raise LogError("there are no items, or no events on them: there is nothing to learn")
    return History(
        tuple(item_text(item) for item in items.values()),
        tuple(item.categories for item in items.values()),
        acts,
        left_out,
    )


def _event(line: LogRecord | BadLine, now_ms: int) -> Event | None:
    if isinstance(line, BadLine):
        return None
    event = decode(line.topic, 0, line.line, line.value, now_ms)
    return None if isinstance(event, DeadLetter) else event


def _catalogue(
    known: Mapping[str, CatalogueItem], announcements: Iterable[Item]
) -> dict[str, CatalogueItem]:
    """Each item as the last announcement leaves it; one that was taken out keeps its text."""
    items = dict(known)
    for one in announcements:
        after = changed(items.get(one.item_id), one, one.ts)
        if after is not None:
            items[one.item_id] = after
    return items


def _acts(events: Iterable[Event], rows: dict[str, int]) -> Iterator[Act]:
    events = list(events)
    owners, forgotten = _said_of_users(events)
    acts = [act for act in (_act(event, rows, owners) for event in events) if act is not None]
    deleted = {
        (owners.get(one.user_id, one.user_id), rows.get(one.item_id)): one.ts
        for one in events
        if isinstance(one, Review) and one.deleted
    }
    for act in acts:
        if act.ts <= forgotten.get(act.user, -1):
            continue
        taken_back = act.ts <= deleted.get((act.user, act.row), -1)
        yield replace(act, liked=False, text=None) if taken_back else act


def _said_of_users(events: Iterable[Event]) -> tuple[dict[str, str], dict[str, int]]:
    """Whose events a guest's are, and until when (UTC ms) a user is forgotten."""
    owners: dict[str, str] = {}
    forgotten: dict[str, int] = {}
    for event in events:
        if isinstance(event, Control) and event.user_id is not None:
            if event.kind is ControlKind.FORGET_USER:
                forgotten[event.user_id] = event.ts
            elif event.kind is ControlKind.MERGE_USER and event.from_user is not None:
                owners[event.from_user] = event.user_id
    return owners, forgotten


def _act(event: Event, rows: dict[str, int], owners: dict[str, str]) -> Act | None:
    if not isinstance(event, Click | Review | Query):
        return None
    user = owners.get(event.user_id, event.user_id)
    if isinstance(event, Query):
        return Act(event.ts, user, None, text=scrub(event.text))
    row = rows.get(event.item_id)
    if row is None:
        return None
    if isinstance(event, Click):
        liked = speaks_for(event.action, completion=event.completion)
        return Act(event.ts, user, row, liked)
    liked = event.rating is not None and event.rating >= LIKED_RATING
    return Act(event.ts, user, row, liked, scrub(event.text) if event.text else None)
