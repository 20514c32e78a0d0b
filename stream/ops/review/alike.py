"""Which items are like one that people banned: of its group, of its name without what tells a
variant, or named almost as it is. So what was decided of one says something of others, to a person:
a banned item's likes come before somebody, and stay in lists until that person decides.

It is made of what stands, each time: a ban that is withdrawn, or whose time is over, says nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from learner.catalogue.lexical import folded, grams
from learner.variety.kin import stem
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override
from stream.ops.review.seen import Seen
from upwell.events import Decision

__all__ = ["ALIKE", "MOST_ALIKE", "MOST_BANS", "Alike", "like_banned"]

ALIKE = 0.7
"""Of the n-grams of both names, the part that they share from which on they are alike."""
MOST_ALIKE = 20
"""Items that one ban puts before a person, the most alike first."""
MOST_BANS = 500
"""That are looked at, the newest first."""


@dataclass(frozen=True, slots=True)
class Alike:
    """To which banned item, how much (0 to 1), and the ban."""

    likeness: float
    ban: Override


def like_banned(
    seen: Mapping[str, Seen], kept: Mapping[str, Kept], now_ms: int
) -> dict[str, Alike]:
    """By item_id, of announced items that are not banned themselves. kept: by override_id."""
    bans = _bans(kept.values(), now_ms)
    banned = {one.item_id for one in bans}
    named = _Named(bans, seen)
    found: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for item in seen.values():
        if item.announced is not None and item.item_id not in banned:
            for likeness, name in named.like(item):
                found[name].append((likeness, item.item_id))
    alike: dict[str, Alike] = {}
    for ban in bans:
        nearest = sorted(found[ban.item_id], key=lambda one: (-one[0], one[1]))[:MOST_ALIKE]
        for likeness, item_id in nearest:
            if item_id not in alike or likeness > alike[item_id].likeness:
                alike[item_id] = Alike(likeness, ban)
    return alike


def _bans(kept: Iterable[Kept], now_ms: int) -> list[Override]:
    """In force, for everyone; one an item, the newest first."""
    standing = (one.standing for one in kept if one.standing is not None)
    of_all = [
        one
        for one in standing
        if one.decision is Decision.BAN
        and one.user is None
        and one.segment is None
        and one.query is None
        and one.covers("", (), None, now_ms)
    ]
    of_all.sort(key=lambda one: (-one.at, one.override_id))
    newest = {one.item_id: one for one in reversed(of_all)}
    return sorted(newest.values(), key=lambda one: (-one.at, one.override_id))[:MOST_BANS]


class _Named:
    """The banned items by group, by stem and by some n-grams of their names.

    Of a name's n-grams only so many are looked up as one that is ALIKE cannot lack, the rarest.
    """

    def __init__(self, bans: Iterable[Override], seen: Mapping[str, Seen]) -> None:
        self._group: defaultdict[str, list[str]] = defaultdict(list)
        self._stem: defaultdict[str, list[str]] = defaultdict(list)
        self._grams: dict[str, frozenset[str]] = {}
        self._having: defaultdict[str, list[str]] = defaultdict(list)
        for ban in bans:
            if (item := seen.get(ban.item_id)) is not None:
                self._put(item)
        often = Counter(gram for one in self._grams.values() for gram in one)
        for name, own in self._grams.items():
            needed = int((1.0 - ALIKE) * len(own)) + 1
            for gram in sorted(own, key=lambda one: (often[one], one))[:needed]:
                self._having[gram].append(name)

    def like(self, item: Seen) -> Iterator[tuple[float, str]]:
        """How much, and to which banned item; each once."""
        whole = {*self._stem.get(stem(item.title or ""), ())} if item.title else set()
        if item.group is not None:
            whole.update(self._group.get(item.group, ()))
        for name in whole:
            yield 1.0, name
        own = grams(folded(item.title or ""))
        near = {name for gram in own for name in self._having.get(gram, ())}
        for name in near - whole:
            other = self._grams[name]
            likeness = len(own & other) / len(own | other)
            if likeness >= ALIKE:
                yield likeness, name

    def _put(self, item: Seen) -> None:
        if item.group is not None:
            self._group[item.group].append(item.item_id)
        if item.title and (name := stem(item.title)):
            self._stem[name].append(item.item_id)
        if own := grams(folded(item.title or "")):
            self._grams[item.item_id] = own
