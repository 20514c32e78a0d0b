"""The learner: tests itself on each example, then learns from it; ranks; hands deltas to replicas.

One class for the learn process and its replicas in serve workers. It knows nothing about Kafka, Qdrant or language models.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learner.block import NEWCOMER_EVENTS, Block, Profile, Targets, block_of
from learner.catalogue import Catalogue
from learner.counts import Counts, CountState, inherit
from learner.delta import ModelDelta
from learner.entries import Model, rank_block
from learner.evaluate import CUTOFF, Figures
from learner.fusion import Fusion, Placed
from learner.gate import GateState, empty_gate, mute
from learner.journal import Journal, replay
from learner.prequential import Outcome, count_block, learn_block
from learner.signals.affinity import empty_scratch, widened
from learner.signals.names import DENSE, SIGNALS
from learner.signals.popularity import COUNT
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.values import CatalogueItem, Example, Vector

if TYPE_CHECKING:
    from upwell.settings import LearnerSettings

__all__ = ["Learner"]

_BLOCK = 256  # examples or users whose dense signals are held at once


class Learner:
    """Counts, gate and figures of one stream. `dimension`: of the item and intent vectors. Not thread-safe."""

    def __init__(self, settings: LearnerSettings, dimension: int, seed: int) -> None:
        self._settings = settings
        self._seed = seed
        self._figures = Figures()
        self._watermark: dict[str, int] = {}
        self._learned = 0
        self._journal = Journal({})
        self._gate = empty_gate()
        self._begin(Catalogue(dimension))

    def _begin(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._counts = Counts(self._settings.neighbours)
        self._scratch = empty_scratch()
        self._dense = np.zeros((len(DENSE), _BLOCK, 0), np.float32)
        self._inherited = True
        self._fusion = Fusion(self._settings, catalogue.dimension, self._seed) if self._settings.fused else None

    # ---- the catalogue

    def add_items(self, items: Sequence[CatalogueItem]) -> None:
        """Announces or replaces items. Raises `ModelError` where a vector has another dimension."""
        rows = self._catalogue.announce(items)
        if len(rows):
            self._inherited = False
            if self._fusion is not None:
                self._fusion.announce(rows, self._catalogue.graph.vectors[rows], len(self._catalogue))

    def _state(self) -> CountState:
        """The arrays of all counts, with room for every row."""
        capacity = self._catalogue.capacity
        if self._dense.shape[2] < capacity:
            self._counts.grow(capacity)
            self._dense = np.zeros((len(DENSE), _BLOCK, capacity), np.float32)
        features = self._catalogue.features.state
        if self._scratch.affinity.shape[0] < capacity or len(self._scratch.taste) != len(features.worth):
            self._scratch = widened(self._scratch, capacity, len(features.worth))
        state = self._counts.state(self._catalogue.graph.state, features)
        if not self._inherited:
            inherit(state, len(self._catalogue))
            self._inherited = True
        return state

    # ---- learning

    def learn(self, examples: Sequence[Example]) -> None:
        """Tests, then learns, one example after the other; those at or below the watermark of their source are skipped."""
        fresh = self._fresh(examples)
        while block := list(islice(fresh, _BLOCK)):
            self._learn_block(block)

    def _fresh(self, examples: Iterable[Example]) -> Iterator[Example]:
        for example in examples:
            if example.event.item_id is not None and example.offset > self._watermark.get(example.source, -1):
                self._watermark[example.source] = example.offset
                yield example

    def _learn_block(self, examples: Sequence[Example]) -> None:
        rows = [self._catalogue.ensure(str(example.event.item_id)) for example in examples]
        blocked = [set(self._catalogue.rows(example.had)) if example.tested else set() for example in examples]
        tested = [
            example.tested and example.event.liked and bool(self._catalogue.allowed[row]) and row not in had
            for example, row, had in zip(examples, rows, blocked, strict=True)
        ]
        self._test_and_count(examples, rows, blocked, tested)

    def _test_and_count(self, examples: Sequence[Example], rows: list[int], blocked: list[set[int]], tested: list[bool]) -> None:
        slots = np.where(tested, np.cumsum(tested) - 1, -1)
        profiles = [
            Profile(*self._catalogue.known(example.history, create=True), tuple(had) if test else (), example.user_events, int(slot))
            for example, had, test, slot in zip(examples, blocked, tested, slots, strict=True)
        ]
        state = self._state()
        placed = [self._catalogue.placed(example.history) for example in examples]
        block = self._with_dense(
            profiles,
            [example.intent for example, test in zip(examples, tested, strict=True) if test],
            [history for history, test in zip(placed, tested, strict=True) if test],
        )
        targets = Targets(
            np.array(rows, np.int32),
            np.array([example.event.liked for example in examples], np.bool_),
            np.array(tested, np.bool_),
            np.array([one.met(row) for one, row in zip(profiles, rows, strict=True)], np.int8),
            np.array([one.events <= NEWCOMER_EVENTS for one in profiles], np.bool_),
        )
        outcome = Outcome.empty(len(examples), len(self._figures.names), CUTOFF)
        learn_block(
            state, self._gate, self._scratch, self._catalogue.allowed, block, targets, outcome,
            self._settings.cold_item_weight, self._settings.candidates, len(self._catalogue),
        )  # fmt: skip
        announced = int(np.count_nonzero(self._catalogue.allowed))
        seen = targets.tested
        self._figures.record(outcome.ranks[seen], outcome.top[seen], outcome.cold_user[seen], outcome.cold_item[seen], announced)
        self._learned += len(examples)
        if self._fusion is not None:
            self._fusion.learn(examples, rows, placed, len(self._catalogue))
        self._journal.add(examples, block, targets)

    def _with_dense(self, profiles: Sequence[Profile], intents: Sequence[Vector | None], histories: Sequence[Placed]) -> Block:
        """The profiles with two scores of every item: the intent's similarity and the fused model's. Both of those that have a slot."""
        on = np.zeros((max(1, len(intents)), len(DENSE)), np.bool_)
        given = [place for place, intent in enumerate(intents) if intent is not None and bool(np.any(intent))]
        if given:
            stacked = np.stack([np.asarray(intents[place], np.float32) for place in given])  # (g, d)
            rows = len(self._catalogue)
            self._dense[0, given, :rows] = stacked @ self._catalogue.graph.vectors[:rows].T  # (g, N)
            on[given, 0] = True
        if histories and self._fusion is not None and self._fusion.ready:
            rows = len(self._catalogue)
            self._dense[1, : len(histories), :rows] = self._fusion.scores(histories, intents, rows)
            on[: len(histories), 1] = True
        return block_of(profiles, self._dense, on)

    def mute(self, signals: Sequence[str]) -> None:
        """Holds the weights of `signals` at zero from here on, for an ablation. Raises `ValueError` for an unknown name."""
        mute(self._gate, [SIGNALS.index(signal) for signal in signals])

    # ---- ranking

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        """A list for each request, best first; pinned items stand first. Changes nothing that was learned."""
        parts = (requests[start : start + _BLOCK] for start in range(0, len(requests), _BLOCK))
        return [one for part in parts for one in self._rank_block(part)]

    def _rank_block(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        state = self._state()
        if len(self._catalogue) == 0:
            return [() for _ in requests]
        profiles = [
            Profile(
                *self._catalogue.known(request.state.history, create=False),
                tuple(set(self._catalogue.rows(chain(request.state.had, request.exclude)))),
                request.state.events,
                slot,
            )
            for slot, request in enumerate(requests)
        ]
        histories = [self._catalogue.placed(request.state.history) for request in requests]
        block = self._with_dense(profiles, [request.state.intent for request in requests], histories)
        model = Model(state, self._gate, self._scratch, self._catalogue, self._seed)
        return rank_block(model, self._settings, requests, block)

    # ---- what others see

    @property
    def version(self) -> str:
        """Examples learned and a digest of the gate: the same on a replica that is level."""
        return f"{self._learned}-{zlib.crc32(self._gate.weights.tobytes()):08x}"

    @property
    def watermark(self) -> dict[str, int]:
        """Source → last offset learned."""
        return dict(self._watermark)

    @property
    def figures(self) -> Figures:
        """Running prequential figures of the model and its peers."""
        return self._figures

    def item_events(self) -> dict[str, int]:
        """How many events each item has had, of those that had any."""
        counted = self._state().popularity
        events = counted.values[COUNT] / counted.scale[COUNT]
        return {item_id: round(events[row]) for row, item_id in enumerate(self._catalogue.ids) if events[row] > 0.0}

    @property
    def evicted(self) -> dict[str, int]:
        """By table, how many neighbours made room for others: whether `neighbours` is too small for this stream."""
        return self._counts.evicted

    # ---- replicas

    def take_delta(self) -> ModelDelta:
        """What changed since the last take."""
        columns, items, sources = self._journal.columns(self._catalogue.ids)
        arrays = {f"examples.{name}": array for name, array in columns.items()}
        arrays |= {f"gate.{name}": array.copy() for name, array in self._gate._asdict().items()}
        fused = {} if self._fusion is None else self._fusion.published()
        arrays |= {f"fused.{name}": array for name, array in fused.items()}
        delta = ModelDelta(
            fused_items=tuple(self._catalogue.ids[row] for row in fused.get("rows", ())),
            version=self.version,
            learned=self._learned,
            since=self._journal.since,
            watermark=dict(self._watermark),
            sources=sources,
            items=items,
            arrays=arrays,
        )
        self._journal = Journal(self._watermark)
        return delta

    def apply(self, delta: ModelDelta) -> None:
        """Brings a replica to the state of the learner that made this delta. Raises `ModelError` where one before it is missing."""
        block, targets = replay(delta, self._catalogue.ensure, self._watermark)
        count_block(self._state(), block, targets, len(self._catalogue))
        self._gate = GateState(delta.arrays["gate.weights"].copy(), delta.arrays["gate.squares"].copy())
        for source, offset in delta.watermark.items():
            self._watermark[source] = max(offset, self._watermark.get(source, -1))
        self._learned = delta.learned
        self._journal = Journal(self._watermark)
        if self._fusion is not None:
            self._fusion.count(targets.rows, len(self._catalogue))
            self._follow_fused(self._fusion, delta)

    def _follow_fused(self, fusion: Fusion, delta: ModelDelta) -> None:
        arrays = {name.removeprefix("fused."): array for name, array in delta.arrays.items() if name.startswith("fused.")}
        if arrays:
            arrays["rows"] = np.array([self._catalogue.ensure(item_id) for item_id in delta.fused_items], np.int32)
            fusion.follow(arrays, len(self._catalogue))

    # ---- checkpoints

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything learned, as arrays."""
        parts: dict[str, Mapping[str, NDArray[Any]]] = {
            "counts": self._counts.arrays(len(self._catalogue)),
            "gate": self._gate._asdict(),
            "figures": self._figures.arrays(),
        }
        self._state()
        if self._fusion is not None:
            parts["fused"] = self._fusion.arrays()
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    def meta(self) -> dict[str, Any]:
        """Everything learned that is no array, JSON-ready."""
        return {
            "items": list(self._catalogue.ids),
            "watermark": dict(self._watermark),
            "learned": self._learned,
            "dimension": self._catalogue.dimension,
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
        """Becomes the learner whose `arrays()` and `meta()` these are. Items may be announced before or afterwards."""
        announced = [item for item in self._catalogue.items if item is not None]
        self._begin(Catalogue(self._catalogue.dimension))
        for item_id in meta["items"]:
            self._catalogue.ensure(item_id)
        self._state()

        def part(prefix: str) -> dict[str, NDArray[Any]]:
            return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}

        self._counts.restore(part("counts."))
        self._gate = GateState(**{name: array.copy() for name, array in part("gate.").items()})
        self._figures.restore(part("figures."))
        if self._fusion is not None and any(name.startswith("fused.") for name in arrays):
            self._fusion.restore(part("fused."))
        self._watermark = dict(meta["watermark"])
        self._learned = int(meta["learned"])
        self._journal = Journal(self._watermark)
        if announced:
            self.add_items(announced)
