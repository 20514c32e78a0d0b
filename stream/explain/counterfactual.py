"""What would have had to differ: the smallest set of a user's events without which an item is gone
from a list, the model as it was.

All single events are tried, then all pairs and triples while there are not too many; and beside
them sets that grow by the events that count most, from which what is not needed is taken again.
What the model learned of the events stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from math import comb

import numpy as np

from learner.fused.intent import Intent, event_weight, fold
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.values import Interaction, Vector

__all__ = ["Counterfactual", "Smallest", "without"]

SIZES = (2, 3)
"""Beyond single events, of the sets that are all tried."""
A_CALL = 256
_NOISE = 1e-5
"""Of what an intent was summed of: what is left of less is rounding, no direction."""
_WORDED = frozenset({"query", "review"})

Rank = Callable[[Sequence[RankRequest]], list[tuple[Entry, ...]]]


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Of an item. events: oldest first, without which it is gone; none where no set was found.
    stays: it is in the list though all events are gone. all_up_to: all sets of so many events and
    fewer were tried. tried: lists that were made.
    """

    item_id: str
    events: tuple[Interaction, ...]
    stays: bool
    all_up_to: int
    tried: int

    @property
    def smallest(self) -> bool:
        """Whether it is proven that no smaller set does."""
        return bool(self.events) and len(self.events) <= self.all_up_to + 1


def without(
    request: RankRequest,
    gone: Collection[str],
    vector: Callable[[str], Vector | None],
    half_life_ms: float,
    read: Callable[[str], Vector | None] = lambda words: None,
) -> RankRequest:
    """The request, had these events (by event_id) not been.

    vector: of an item, None where nobody announced it. read: of the request's words, None where
    they stay part of the intent. Words of older events stay part of it: they are not kept.
    """
    state = request.state
    kept = tuple(one for one in state.history if one.event_id not in gone)
    lost = [one for one in state.history if one.event_id in gone]
    words = _words_of(state.history) if request.words is not None else None
    said = words is not None and words.event_id in gone
    intent, taken = Intent(state.intent, state.intent_ts), 0.0
    for one in lost:
        own = None if one.item_id is None else vector(one.item_id)
        spoken = read(request.words or "") if said and one is words else None
        for part in (own, spoken):
            if part is not None:
                weight = event_weight(one.kind, one.rating)
                intent = fold(intent, part, -weight, one.ts, half_life_ms)
                taken += abs(weight)
    still = {one.item_id for one in kept}
    had = {one.item_id for one in lost} - still
    return replace(
        request,
        state=replace(
            state,
            intent=_cleared(intent.vector, taken),
            history=kept,
            had=tuple(item for item in state.had if item not in had),
            events=max(state.events - len(lost), 0),
        ),
        words=None if said else request.words,
    )


@dataclass(slots=True)
class Smallest:
    """One search. rank: makes lists by the model as it was. change: the request without some
    events. most: lists that are made for the sets of one size at most.
    """

    rank: Rank
    change: Callable[[Collection[str]], RankRequest]
    history: Sequence[Interaction]
    most: int
    tried: int = 0

    def of(self, item_id: str) -> Counterfactual:
        """Of an item that stands in the list."""
        names = [one.event_id for one in self.history]
        if not names or self._stays(item_id, names):
            return Counterfactual(item_id, (), True, 0, self.tried)
        margins = list(self._margins(item_id, [(name,) for name in names]))
        order = [names[place] for place in np.argsort(margins, kind="stable")]
        if min(margins) == -np.inf:
            return self._found(item_id, (order[0],), 1)
        grown = self._grown(item_id, order)
        done = 1
        for size in SIZES:
            if size >= len(grown) or comb(len(names), size) > self.most:
                break
            found = self._first(item_id, combinations(order, size))
            done = size
            if found is not None:
                return self._found(item_id, found, done)
        return self._found(item_id, grown, done)

    def _found(self, item_id: str, gone: Collection[str], done: int) -> Counterfactual:
        events = tuple(one for one in self.history if one.event_id in gone)
        return Counterfactual(item_id, events, False, done, self.tried)

    def _stays(self, item_id: str, gone: Sequence[str]) -> bool:
        return next(self._margins(item_id, [gone])) > -np.inf

    def _grown(self, item_id: str, order: Sequence[str]) -> tuple[str, ...]:
        """The first so many events, less each that is not needed."""
        sizes = [order[:size] for size in range(2, len(order) + 1)]
        gone = list(self._first(item_id, sizes) or order)
        for name in tuple(gone):
            fewer = [one for one in gone if one != name]
            if fewer and not self._stays(item_id, fewer):
                gone = fewer
        return tuple(gone)

    def _first(self, item_id: str, sets: Iterable[Sequence[str]]) -> tuple[str, ...] | None:
        """The first of the sets without which the item is gone."""
        some = iter(sets)
        while asked := list(islice(some, A_CALL)):
            for gone, margin in zip(asked, self._margins(item_id, asked), strict=True):
                if margin == -np.inf:
                    return tuple(gone)
        return None

    def _margins(self, item_id: str, sets: Sequence[Sequence[str]]) -> Iterator[float]:
        """By how much the item's score is above the last one's, without each of the sets; -inf
        where it is gone.
        """
        for start in range(0, len(sets), A_CALL):
            some = sets[start : start + A_CALL]
            self.tried += len(some)
            for entries in self.rank([self.change(gone) for gone in some]):
                scores = {one.item_id: one.score for one in entries}
                last = entries[-1].score if entries else 0.0
                yield scores[item_id] - last if item_id in scores else -np.inf


def _words_of(history: Sequence[Interaction]) -> Interaction | None:
    """The newest event that has words."""
    return next((one for one in reversed(history) if one.kind in _WORDED), None)


def _cleared(intent: Vector, taken: float) -> Vector:
    small = float(np.linalg.norm(intent)) <= _NOISE * taken
    return np.zeros_like(intent) if small else intent
