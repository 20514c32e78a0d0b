"""What the topics say of each item, counted by time: who took it, who spoke against it, how often
it stood in lists and how surely. Each user and item counts once, whoever sends it twice.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from stream.chain.validate import decode
from stream.ops.access.topics import Standing
from upwell.codec import parse_recommendations
from upwell.errors import InvalidEventError
from upwell.events import Action, Click, Item, Review, Topic
from upwell.values import speaks_for

__all__ = ["AGAINST_RATING", "LOOKED_AT", "Seen", "count"]

LOOKED_AT = (Topic.ITEMS, Topic.CLICKS, Topic.REVIEWS, Topic.RECOMMENDATIONS)
AGAINST_RATING = 2.0
"""A rating of so much or less is a word against an item."""
_AGAINST = frozenset({Action.DISLIKE, Action.HIDE, Action.REPORT})


@dataclass(slots=True)
class Seen:
    """Of one item. announced: when it first was, UTC ms, None where the topic has forgotten. now,
    before: users who took it in the newer half of the time, with when they first did, and in the
    older one. words: of users who spoke, when they last did and whether it was against it. shown:
    times it stood in lists of the newer half; chosen: when it did, where not by lot. Times are UTC
    ms.
    """

    item_id: str
    title: str | None = None
    group: str | None = None
    announced: int | None = None
    now: dict[str, int] = field(default_factory=dict)
    before: set[str] = field(default_factory=set)
    words: dict[str, tuple[int, bool]] = field(default_factory=dict)
    shown: int = 0
    chosen: array[int] = field(default_factory=lambda: array("q"))

    @property
    def against(self) -> int:
        """Users whose newest word is against it."""
        return sum(against for _, against in self.words.values())

    def against_since(self, bar: int) -> int:
        """When the so many-th of the words against it was said, UTC ms; there are so many."""
        return sorted(at for at, against in self.words.values() if against)[bar - 1]


def count(records: Iterable[Standing[Topic]], since_ms: int, until_ms: int) -> dict[str, Seen]:
    """By item_id, of what was appended in between (UTC ms); announcements of any time."""
    seen: dict[str, Seen] = {}
    middle = (since_ms + until_ms) // 2
    lists: set[str] = set()
    for one in records:
        if one.topic is Topic.ITEMS:
            _announced(seen, one)
        elif since_ms <= one.appended_ms < until_ms:
            if one.topic is Topic.RECOMMENDATIONS:
                _listed(seen, one, middle, lists)
            else:
                _done(seen, one, middle)
    return seen


def _announced(seen: dict[str, Seen], one: Standing[Topic]) -> None:
    event = decode(one.topic, one.partition, one.offset, one.value, one.appended_ms)
    if isinstance(event, Item):
        item = _of(seen, event.item_id)
        item.title, item.group = event.title or item.title, event.group or item.group
        known = item.announced
        item.announced = one.appended_ms if known is None else min(known, one.appended_ms)


def _done(seen: dict[str, Seen], one: Standing[Topic], middle: int) -> None:
    event = decode(one.topic, one.partition, one.offset, one.value, one.appended_ms)
    if not isinstance(event, Click | Review):
        return
    item = _of(seen, event.item_id)
    taken, against = _meaning(event)
    if taken and one.appended_ms >= middle:
        item.now[event.user_id] = min(one.appended_ms, item.now.get(event.user_id, one.appended_ms))
    elif taken:
        item.before.add(event.user_id)
    if against is not None and one.appended_ms >= item.words.get(event.user_id, (-1, False))[0]:
        item.words[event.user_id] = one.appended_ms, against


def _meaning(event: Click | Review) -> tuple[bool, bool | None]:
    """Whether it takes the item, and whether it speaks against it; None of what says neither."""
    if isinstance(event, Click):
        taken = speaks_for(event.action, completion=event.completion)
        said = taken or event.action in _AGAINST or event.action is Action.UNLIKE
        return taken, (event.action in _AGAINST) if said else None
    if event.deleted:
        return False, False
    against = event.rating is not None and event.rating <= AGAINST_RATING
    return not against, against


def _listed(seen: dict[str, Seen], one: Standing[Topic], middle: int, lists: set[str]) -> None:
    if one.appended_ms < middle:
        return
    try:
        found = parse_recommendations(one.value or b"")
    except InvalidEventError:  # of another version
        return
    if found.list_id in lists:
        return
    lists.add(found.list_id)
    for entry in found.items:
        item = _of(seen, entry.item_id)
        item.title = item.title or entry.title
        item.shown += 1
        if not entry.explored:
            item.chosen.append(one.appended_ms)


def _of(seen: dict[str, Seen], item_id: str) -> Seen:
    return seen.setdefault(item_id, Seen(item_id))
