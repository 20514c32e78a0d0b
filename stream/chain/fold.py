"""Folding events into one user's state. Pure: a state and events in, a state and the examples out.

It knows nothing about Kafka or models: an event arrives with its `topic-partition` and offset, its
text already a vector. Folding commutes up to the bounds of the kept lists; a redelivered event (at
or below the watermark) changes nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from statistics import median

import numpy as np

from learner.fused.intent import Intent, event_weight, fold, unit
from learner.ranking.fatigue import beside, with_shown
from upwell.values import UNDOING_KINDS, Example, Interaction, Pending, Shown, UserState, Vector

__all__ = [
    "Bounds",
    "Draft",
    "Folded",
    "Incoming",
    "empty_state",
    "fold_events",
    "for_ranker",
    "standing",
]

EXAMPLE_HISTORY = 50
PENDING_LIMIT = 200
MOMENTARY_KINDS = frozenset({"view", "skip", "query"}) | UNDOING_KINDS
"""Events that do not make an item one that the user had."""
PURCHASE = "purchase"
ONE_PURCHASE_MS = 3_600_000
"""Purchases of an item that follow each other sooner are one: two of it in one basket."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept of a user, how fast the intent fades; told: segments that examples name."""

    history: int
    had: int
    half_life_ms: float
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event of the user, ready to fold.

    `text_vector`: (d,) of its own words, if it has any. `tested`: drawn for the test. shown: of an
    impression, which is not kept in the history, the items.
    """

    event: Interaction
    text_vector: Vector | None = None
    tested: bool = False
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Folded:
    """state: after all events. changed: False where nothing was new. duplicates: retries of an
    event_id, dropped.
    """

    state: UserState
    changed: bool
    examples: tuple[Example, ...]
    duplicates: tuple[Interaction, ...]


def empty_state(user: str, dimension: int) -> UserState:
    """The state of a user nobody has seen."""
    return UserState(user=user, intent=np.zeros(dimension, dtype=np.float32))


class Draft:
    """A state being folded: lists instead of tuples, so that a batch costs one copy."""

    def __init__(self, state: UserState, bounds: Bounds) -> None:
        self.base = state
        self.bounds = bounds
        self.intent = Intent(state.intent, state.intent_ts)
        self.history = list(state.history)
        self.positions = {entry.event_id: (entry.source, entry.offset) for entry in state.history}
        self.had = dict.fromkeys(state.had)
        self.pending = list(state.pending)
        self.events = state.events
        self.shown = state.shown
        self.watermark = dict(state.watermark)
        self.folded = False

    def announce(self, item_vector: Callable[[str], Vector | None]) -> None:
        """Fold what waited for its item to be announced."""
        still = []
        for waiting in self.pending:
            vector = item_vector(waiting.item_id)
            if vector is None:
                still.append(waiting)
            else:
                self.intent = fold(
                    self.intent, vector, waiting.weight, waiting.ts, self.bounds.half_life_ms
                )
        self.pending = still

    def add(self, incoming: Incoming, item_vector: Callable[[str], Vector | None]) -> None:
        """Fold in one that is new."""
        event = incoming.event
        self._add_intent(incoming, item_vector)
        insort(self.history, event, key=lambda entry: entry.order)
        self.positions[event.event_id] = (event.source, event.offset)
        if event.item_id is not None and event.kind not in MOMENTARY_KINDS:
            self.had.setdefault(event.item_id)
        self.events += 1
        self.watermark[event.source] = event.offset
        self.folded = True

    def show(self, incoming: Incoming) -> None:
        """Take in an impression that is new."""
        event = incoming.event
        self.shown = with_shown(self.shown, Shown(event.event_id, event.ts, incoming.shown))
        self.watermark[event.source] = event.offset
        self.folded = True

    def _add_intent(self, incoming: Incoming, item_vector: Callable[[str], Vector | None]) -> None:
        event = incoming.event
        weight = _weight(event)
        if incoming.text_vector is not None:
            self.intent = fold(
                self.intent, incoming.text_vector, weight, event.ts, self.bounds.half_life_ms
            )
        if event.item_id is None:
            return
        vector = item_vector(event.item_id)
        for ts, share in self._shares(event, weight):
            if vector is None:
                self.pending.append(Pending(event.item_id, ts, share))
            else:
                self.intent = fold(self.intent, vector, share, ts, self.bounds.half_life_ms)

    def _shares(self, event: Interaction, weight: float) -> list[tuple[int, float]]:
        """(ts, weight) of what an event adds to the intent: of what settles the same of an item the
        newest alone counts, so it takes away what the one before had added.
        """
        settles = event.settles
        same = (one for one in reversed(self.history) if one.item_id == event.item_id)
        last = next((one for one in same if one.settles == settles), None) if settles else None
        if last is None:
            return [(event.ts, weight)]
        if last.order > event.order:
            return []
        return [(event.ts, weight), (last.ts, -_weight(last))]

    def example(self, incoming: Incoming, redelivered: bool) -> Example | None:
        """The example of an event on an item, with the state before it.

        After a crash the state already holds the event and later ones: the history is cut at the
        event again, the intent cannot be, so a redelivered example carries none and is learned from
        but not tested.
        """
        event = incoming.event
        if event.item_id is None or event.kind in UNDOING_KINDS:
            return None
        before = bisect_left(self.history, event.order, key=lambda entry: entry.order)
        later = len(self.history) - before if redelivered else 0
        tested = incoming.tested and not redelivered
        tags = self.base.tags
        return Example(
            source=event.source,
            offset=event.offset,
            user=self.base.user,
            event=event,
            history=_newest_items(self.history[:before]),
            intent=None if redelivered else unit(self.intent.vector),
            user_events=max(self.events - later, 0),
            tested=tested,
            had=tuple(self.had) if tested else (),
            beside=beside(self.shown, self.history[:before], event) if tested else (),
            segments=tuple(n for n in self.bounds.told if tested and n in tags and tags[n].on),
        )

    def state(self) -> UserState:
        """As it stands, within the bounds."""
        return replace(
            self.base,
            intent=self.intent.vector,
            intent_ts=self.intent.ts,
            history=tuple(self.history[-self.bounds.history :]),
            had=tuple(self.had)[-self.bounds.had :],
            pending=tuple(
                sorted(self.pending, key=lambda waiting: (waiting.ts, waiting.item_id))[
                    -PENDING_LIMIT:
                ]
            ),
            events=self.events,
            watermark=self.watermark,
            shown=self.shown,
        )


def fold_events(
    state: UserState,
    events: Iterable[Incoming],
    item_vector: Callable[[str], Vector | None],
    bounds: Bounds,
) -> Folded:
    """Fold `events` (in their partitions' order) into `state`.

    `item_vector` gives an announced item's (d,) vector, else None.
    """
    draft = Draft(state, bounds)
    draft.announce(item_vector)
    examples: list[Example] = []
    duplicates: list[Interaction] = []
    for incoming in events:
        event = incoming.event
        known_at = draft.positions.get(event.event_id)
        redelivered = event.offset <= draft.watermark.get(event.source, -1)
        if incoming.shown:
            if not redelivered:
                draft.show(incoming)
            continue
        if known_at is not None and known_at != (event.source, event.offset):
            duplicates.append(event)
            continue
        example = draft.example(incoming, redelivered)
        if example is not None:
            examples.append(example)
        if not redelivered:
            draft.add(incoming, item_vector)
    if not draft.folded:
        return Folded(state, False, tuple(examples), tuple(duplicates))
    return Folded(draft.state(), True, tuple(examples), tuple(duplicates))


def standing(history: Sequence[Interaction]) -> Iterator[Interaction]:
    """What counts of a history (oldest first), newest first: of what settles the same of an item,
    as its opinions do, the newest, unless it takes that back.
    """
    settled: set[tuple[str, str]] = set()
    for one in reversed(history):
        settles = one.settles
        if one.item_id is None or settles is None:
            yield one
        elif (one.item_id, settles) not in settled:
            settled.add((one.item_id, settles))
            if one.kind not in UNDOING_KINDS:
                yield one


def for_ranker(state: UserState, returns: bool, now_ms: int) -> UserState:
    """As lists are made of it: without opinions that the user has replaced or taken back; where
    `returns`, `had` lacks what the user has run out of by `now_ms` (UTC ms, or their newest event).
    """
    kept = tuple(standing(state.history))[::-1]
    out = _run_out(state.history, kept, now_ms) if returns else set()
    had = tuple(item for item in state.had if item not in out) if out else state.had
    return replace(state, history=kept, had=had)


def _run_out(history: Sequence[Interaction], kept: Iterable[Interaction], now_ms: int) -> set[str]:
    """Items bought at least twice, the last time at least as long ago as the user's median time
    between two purchases of it; none that they do not like.
    """
    bought: defaultdict[str, list[int]] = defaultdict(list)
    for one in history:
        if one.item_id is not None and one.kind == PURCHASE:
            bought[one.item_id].append(one.ts)
    again = {item: gaps for item, times in bought.items() if (gaps := _gaps(times))}
    if not again:
        return set()
    now_ms = max(now_ms, history[-1].ts)
    disliked = {one.item_id for one in kept if one.opinion and not one.liked}
    return {
        item
        for item, gaps in again.items()
        if item not in disliked and now_ms - bought[item][-1] >= median(gaps)
    }


def _gaps(times: Sequence[int]) -> list[int]:
    """ms between purchases (oldest first) that are not of one basket."""
    return [gap for before, after in pairwise(times) if (gap := after - before) >= ONE_PURCHASE_MS]


def _newest_items(history: Sequence[Interaction]) -> tuple[Interaction, ...]:
    items = (one for one in standing(history) if one.item_id is not None)
    return tuple(islice(items, EXAMPLE_HISTORY))[::-1]


def _weight(event: Interaction) -> float:
    return event_weight(event.kind, event.rating, event.completion)
