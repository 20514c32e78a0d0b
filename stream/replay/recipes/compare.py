"""What lists are worth on a stream: Upwell's beside those of named peers, each asked before the
events of a micro-batch and taught by them afterwards, in one pass.

Upwell runs inline, without a broker. The first tenth of the events warms up and is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import orjson

from stream.chain.fold import for_ranker
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from stream.replay.recipes.peers import Peer, Wanted
from stream.replay.recipes.recipe import Outcome, Source
from stream.replay.recipes.worth import SLICES, Worth
from upwell.events import Topic
from upwell.ports import Encoder, RankRequest
from upwell.settings import Settings, load_settings
from upwell.values import Example, UserState, Vector

__all__ = ["COLD_EVENTS", "Lists", "Target"]

BATCH = 32
WARMUP = 0.1
COLD_EVENTS = 2
K = 10
_HEADS = {
    "all": "NDCG@10",
    "new_user": "new users",
    "new_item": "new items",
    "again": "again",
}


@dataclass(frozen=True, slots=True)
class Target:
    """An example that lists are asked for. item_events: on its
    item before. had: the user had it.
    """

    example: Example
    item_events: int
    had: bool

    @property
    def slices(self) -> list[str]:
        """That it counts in."""
        new_user = self.example.user_events <= COLD_EVENTS
        new_item = self.item_events <= COLD_EVENTS
        parts = (("new_user", new_user), ("new_item", new_item), ("again", self.had))
        return ["all", *(name for name, true in parts if true)]


@dataclass(frozen=True, slots=True)
class Lists:
    """A `Play`. peers: by name, each made anew for a run. without: by the name of another run of
    Upwell the variables that it has otherwise. again: items that the user had are targets too.
    """

    peers: Mapping[str, Callable[[], Peer]]
    without: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    again: bool = False

    def __call__(
        self,
        source: Source,
        environment: Mapping[str, str],
        encoder: Encoder,
        moved: Callable[[int], None],
    ) -> Outcome:
        named = {"Upwell": {}, **self.without}
        engines = {
            name: _EngineSide(load_settings({**environment, **other}, None), encoder, self.again)
            for name, other in named.items()
        }
        peers = {name: _PeerSide(make(), self.again) for name, make in self.peers.items()}
        run = _Run(engines, peers, int(WARMUP * _events(source.records)))
        for done in run.play(source.records):
            moved(done)
        return self._outcome(source, run)

    def _outcome(self, source: Source, run: _Run) -> Outcome:
        first = next(iter(run.worth.values()))
        told = [name for name in SLICES[1:] if first.targets[name]]
        shown = [SLICES[0], *(name for name in told if name != "again" or self.again)]
        heads = ["", "HR@10", *(_HEADS[name] for name in shown), "age, h", "items listed"]
        rows = [(name, *worth.cells(shown)) for name, worth in run.worth.items()]
        events = _events(source.records)
        figures: dict[str, Any] = {
            "events": events,
            "items": len(run.since),
            "targets": {name: first.targets[name] for name in shown},
            "sides": {name: worth.figures(shown) for name, worth in run.worth.items()},
        }
        title = (
            f"{events:,} events, {len(run.since):,} items; NDCG@10 of {first.targets['all']:,} "
            "targets, each asked for before it was learned"
        )
        return Outcome(title, heads, rows, figures)


def _events(records: Sequence[LogRecord]) -> int:
    return sum(one.topic is not Topic.ITEMS for one in records)


class _EngineSide:
    """An engine that is asked for lists by the state before a micro-batch."""

    def __init__(self, settings: Settings, encoder: Encoder, again: bool) -> None:
        self._settings = settings
        self._dimension = encoder.dimension
        self.engine = InlineEngine(settings, encoder)
        self.engine.watch = self._watch
        self._again = again
        self._item_events: dict[str, int] = {}
        self.targets: list[Target] = []
        self.lists: list[list[str]] = []

    def process(self, batch: Sequence[LogRecord]) -> list[Example]:
        """Its examples; `targets` and `lists` are of this batch."""
        self.targets, self.lists, self._seen = [], [], list[Example]()
        self.engine.process(batch)
        return self._seen

    def _watch(self, examples: Sequence[Example]) -> None:
        self.targets = [one for one in map(self._target, examples) if one is not None]
        asked = [self._request(one.example) for one in self.targets]
        entries = self.engine.learner.rank(asked) if asked else []
        self.lists = [[entry.item_id for entry in some] for some in entries]
        self._seen = list(examples)
        for one in examples:
            item_id = str(one.event.item_id)
            self._item_events[item_id] = self._item_events.get(item_id, 0) + 1

    def _target(self, example: Example) -> Target | None:
        item_id = str(example.event.item_id)
        had = item_id in example.had
        if not example.event.liked or (had and not self._again):
            return None
        if not self.engine.learner.may_list(item_id):
            return None
        return Target(example, self._item_events.get(item_id, 0), had)

    def _request(self, example: Example) -> RankRequest:
        state = UserState(
            example.user,
            _vector(example, self._dimension),
            history=example.history,
            had=example.had,
            events=example.user_events,
        )
        at = example.event.ts
        ranked = for_ranker(state, self._settings.stream.returns, at)
        return RankRequest(state=ranked, k=K, at=at)


def _vector(example: Example, dimension: int) -> Vector:
    return np.zeros(dimension, np.float32) if example.intent is None else example.intent


class _PeerSide:
    def __init__(self, peer: Peer, again: bool) -> None:
        self.peer = peer
        self._again = again

    def lists(self, targets: Sequence[Target]) -> list[list[str]]:
        return [self.peer.list(self._wanted(one.example)) for one in targets]

    def _wanted(self, example: Example) -> Wanted:
        newest = reversed([str(one.item_id) for one in example.history if one.item_id is not None])
        left_out = () if self._again else example.had
        history = tuple(dict.fromkeys(newest))
        return Wanted(example.user, example.event.ts, history, left_out, K)


class _Run:
    """One pass. since: of each item when it was announced last, UTC ms. worth: by side."""

    def __init__(
        self,
        engines: Mapping[str, _EngineSide],
        peers: Mapping[str, _PeerSide],
        warmup: int,
    ) -> None:
        self._engines, self._peers, self._warmup = engines, peers, warmup
        self.since: dict[str, int] = {}
        self.worth = {name: Worth() for name in (*engines, *peers)}

    def play(self, records: Sequence[LogRecord]) -> Iterator[int]:
        rest, done, events = iter(records), 0, 0
        while batch := list(islice(rest, BATCH)):
            self._announce(batch)
            self._process(batch, counted=events >= self._warmup)
            done, events = done + len(batch), events + _events(batch)
            yield done

    def _announce(self, batch: Sequence[LogRecord]) -> None:
        for one in batch:
            if one.topic is Topic.ITEMS:
                value = orjson.loads(one.value)
                item_id, ts = value["item_id"], value["ts"]
                self.since[item_id] = ts
                for side in self._peers.values():
                    side.peer.announce(item_id, ts, not value.get("deleted", False))

    def _process(self, batch: Sequence[LogRecord], counted: bool) -> None:
        seen = [side.process(batch) for side in self._engines.values()]
        targets = next(iter(self._engines.values())).targets
        if counted:
            for name, side in self._engines.items():
                self._tell(name, targets, side.lists)
            for name, peer in self._peers.items():
                self._tell(name, targets, peer.lists(targets))
        for example in seen[0]:
            for peer in self._peers.values():
                peer.peer.see(example.user, str(example.event.item_id), example.event.ts)

    def _tell(self, name: str, targets: Sequence[Target], lists: Sequence[list[str]]) -> None:
        for target, listed in zip(targets, lists, strict=True):
            event = target.example.event
            ages = [event.ts - self.since[item] for item in listed if item in self.since]
            self.worth[name].add(str(event.item_id), listed, target.slices, ages)
