"""The learner: tests itself on each example, then learns from it; ranks; hands deltas to replicas.

One class for the learn process and its replicas in serve workers. It knows nothing about Kafka,
Qdrant or language models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.catalogue import Catalogue
from learner.counts.block import Block, Targets, cut
from learner.counts.influence import Influence
from learner.counts.popularity import COUNT
from learner.fused.fusion import Fusion
from learner.ranking.gate import empty_gate
from learner.ranking.ranking import BLOCK, Ranking
from learner.release.delta import ModelDelta
from learner.release.journal import Journal, replay
from learner.release.weights import ROWS, Arrays, Weights, part
from learner.testing.figures import CUTOFF, Figures
from learner.testing.prequential import Outcome, count_block, learn_block
from learner.training.prepare import prepared
from upwell.errors import ModelError
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.values import CatalogueItem, Example

if TYPE_CHECKING:
    from upwell.settings import LearnerSettings

__all__ = ["Learner"]

_STEP = 64  # examples that a replica counts at a time: about 4 ms


class Learner:
    """Counts, gate and figures of one stream.

    `dimension`: of the item and intent vectors. Not thread-safe.
    """

    def __init__(self, settings: LearnerSettings, dimension: int, seed: int) -> None:
        self._settings = settings
        self._seed = seed
        self._figures = Figures()
        self._watermark: dict[str, int] = {}
        self._learned = 0
        self._journal = Journal({})
        self._begin(dimension)

    def _begin(self, dimension: int) -> None:
        self._ranking = Ranking(self._settings, dimension)
        self._weights = self._new_weights(dimension)
        self._beside: list[Weights] = []
        self._influence = Influence()

    def _new_weights(self, dimension: int) -> Weights:
        return Weights(
            empty_gate(),
            Fusion(self._settings, dimension, self._seed) if self._settings.fused else None,
        )

    # ---- the catalogue

    def add_items(self, items: Sequence[CatalogueItem]) -> None:
        """Announces or replaces items. Raises `ModelError` where a vector has another dimension."""
        rows = self._ranking.announce(items)
        if len(rows):
            self._ranking.state()  # room is made now, not while somebody waits for the next list
        if len(rows) and self._weights.fusion is not None:
            self._weights.fusion.announce(
                rows, self._catalogue.graph.vectors[rows], len(self._catalogue)
            )
            for weights in self._beside:
                weights.share_text(self._weights, rows, len(self._catalogue))

    @property
    def _catalogue(self) -> Catalogue:
        return self._ranking.catalogue

    # ---- learning

    def learn(self, examples: Sequence[Example]) -> None:
        """Tests, then learns, one example after the other; those at or below the watermark of their
        source are skipped.
        """
        fresh = self._fresh(examples)
        while block := list(islice(fresh, BLOCK)):
            self._learn_block(block)

    def forget(self, user: str) -> int:
        """Removes what is kept of a user (pseudonym): windows of the replay buffer, and how many.
        All else learned names no user.
        """
        return 0 if self._weights.fusion is None else self._weights.fusion.forget(user)

    def may_list(self, item_id: str | None) -> bool:
        """Whether the item is announced and neither deleted nor banned."""
        row = None if item_id is None else self._catalogue.row(item_id)
        return row is not None and bool(self._catalogue.allowed[row])

    def _fresh(self, examples: Iterable[Example]) -> Iterator[Example]:
        for example in examples:
            if example.event.item_id is not None and example.offset > self._watermark.get(
                example.source, -1
            ):
                self._watermark[example.source] = example.offset
                yield example

    def _learn_block(self, examples: Sequence[Example]) -> None:
        found = prepared(examples, self._ranking, self._weights.fusion, self._weigh(examples))
        self._test_and_count(found.block, found.targets)
        self._learned += len(examples)
        if self._weights.fusion is not None:
            self._weights.fusion.learn(
                examples, found.targets.rows, found.histories, len(self._catalogue)
            )
        for weights in self._beside:
            weights.count(found.targets.rows, len(self._catalogue))
        self._journal.add(examples, found.block, found.targets)

    def _test_and_count(self, block: Block, targets: Targets) -> None:
        self._weights.grow(len(self._catalogue))
        outcome = Outcome.empty(len(targets.rows), len(self._figures.names), CUTOFF)
        learn_block(
            self._ranking.state(),
            self._weights.gate,
            self._ranking.scratch,
            self._catalogue.allowed,
            block,
            targets,
            outcome,
            self._settings.cold_item_weight,
            self._settings.candidates,
            len(self._catalogue),
        )
        announced = int(np.count_nonzero(self._catalogue.allowed))
        seen = targets.tested
        self._figures.record(
            outcome.ranks[seen],
            outcome.top[seen],
            outcome.cold_user[seen],
            outcome.cold_item[seen],
            announced,
        )

    def _weigh(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        if not self._settings.bounded_influence:
            return np.ones(len(examples), np.float32)
        return self._influence.weigh([example.user_events for example in examples])

    # ---- ranking

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        """A list for each request, best first; pinned items stand first. Changes nothing that was
        learned.
        """
        return self._ranking.rank(requests, self._weights)

    def top(
        self, requests: Sequence[RankRequest], weights: Weights
    ) -> Iterator[tuple[list[str], bool]]:
        """For each request the item ids that a replica with these weights would list, and whether
        all their scores are finite.
        """
        for lists, some in self._ranking.lists(requests, weights):
            for user in range(len(some)):
                rows = [int(row) for row in lists.rows[user] if row >= 0]
                yield (
                    [self._catalogue.ids[row] for row in rows],
                    bool(np.isfinite(lists.shares[user]).all()),
                )

    # ---- what others see

    @property
    def weights(self) -> Weights:
        """What it ranks by and, unless it is a replica, trains."""
        return self._weights

    def beside(self) -> Weights:
        """More weights over the same items and counts, untrained, which this learner neither trains
        nor ranks by: for a guard.

        `restore` leaves them behind.
        """
        weights = self._new_weights(self._catalogue.dimension)
        self._beside.append(weights)
        weights.share_text(self._weights, np.arange(len(self._catalogue)), len(self._catalogue))
        return weights

    def version_with(self, weights: Weights) -> str:
        """Examples learned and a digest of the gate: the same on a replica that is level."""
        return f"{self._learned}-{weights.digest}"

    @property
    def version(self) -> str:
        """`version_with` what it ranks by itself."""
        return self.version_with(self._weights)

    @property
    def learned(self) -> int:
        """Examples since the beginning."""
        return self._learned

    @property
    def size(self) -> int:
        """Items seen, announced or not."""
        return len(self._catalogue)

    @property
    def dimension(self) -> int:
        """Of the item and intent vectors."""
        return self._catalogue.dimension

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
        counted = self._ranking.state().popularity
        events = counted.values[COUNT] / counted.scale[COUNT]
        return {
            item_id: round(events[row])
            for row, item_id in enumerate(self._catalogue.ids)
            if events[row] > 0.0
        }

    @property
    def evicted(self) -> dict[str, int]:
        """By table, how many neighbours made room for others: whether `neighbours` is too small for
        this stream.
        """
        return self._ranking.counts.evicted

    # ---- replicas

    def take_delta(self, weights: Arrays | None = None, version: str | None = None) -> ModelDelta:
        """What changed since the last take.

        weights, version: what goes out instead of what this learner ranks by itself.
        """
        columns, items, sources = self._journal.columns(self._catalogue.ids)
        arrays = {f"examples.{name}": array for name, array in columns.items()}
        arrays |= self._weights.published() if weights is None else weights
        delta = ModelDelta(
            row_items={
                name: tuple(self._catalogue.ids[row] for row in arrays[name])
                for name in ROWS
                if name in arrays
            },
            version=version or self.version,
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
        """Brings a replica to the state of the learner that made this delta.

        Raises `ModelError` where one before it is missing.
        """
        for _ in self.applying(delta):
            pass

    def applying(self, delta: ModelDelta) -> Iterator[None]:
        """`apply` in bounded steps. Between two of them this learner may rank, nothing else.

        It then ranks by what was counted of the delta so far, and by the weights before it, as
        `version` says.
        """
        block, targets = replay(delta, self._catalogue.ensure, self._watermark)
        for some, events in cut(block, targets, _STEP):
            count_block(self._ranking.state(), some, events, len(self._catalogue))
            self._learned += len(events.rows)
            self._weights.count(events.rows, len(self._catalogue))
            yield
        for source, offset in delta.watermark.items():
            self._watermark[source] = max(offset, self._watermark.get(source, -1))
        self._learned = delta.learned
        self._journal = Journal(self._watermark)
        rows = {
            name: np.array([self._catalogue.ensure(one) for one in items], np.int32)
            for name, items in delta.row_items.items()
        }
        yield from self._weights.following({**delta.arrays, **rows}, len(self._catalogue))

    def adopt(self, arrays: Arrays) -> None:
        """Rank, and go on training, by the `whole()` of other weights over the same rows.

        Raises `ModelError` where they do not fit.
        """
        self._weights.adopt(arrays, len(self._catalogue))

    # ---- checkpoints

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything learned, as arrays."""
        parts: dict[str, Mapping[str, NDArray[Any]]] = {
            "counts": self._ranking.counts.arrays(len(self._catalogue)),
            "figures": self._figures.arrays(),
            "influence": self._influence.arrays(),
        }
        self._ranking.state()
        if self._weights.fusion is not None:
            parts["fused"] = self._weights.fusion.arrays()
        return self._weights.whole_gate() | {
            f"{part}.{name}": array
            for part, arrays in parts.items()
            for name, array in arrays.items()
        }

    def meta(self) -> dict[str, Any]:
        """Everything learned that is no array, JSON-ready."""
        return {
            "items": list(self._catalogue.ids),
            "watermark": dict(self._watermark),
            "learned": self._learned,
            "dimension": self._catalogue.dimension,
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
        """Becomes the learner whose `arrays()` and `meta()` these are. Items may be announced
        before or afterwards.

        Raises `ModelError` where they were made for vectors of another size.
        """
        if meta["dimension"] != self._catalogue.dimension:
            raise ModelError(
                f"the checkpoint was made for vectors of {meta['dimension']} dimensions, "
                f"the encoder gives {self._catalogue.dimension}: "
                "set UPWELL_ENCODER to the encoder that made them, or start afresh with "
                "another UPWELL_DATA and UPWELL_PREFIX"
            )
        announced = [item for item in self._catalogue.items if item is not None]
        self._begin(self._catalogue.dimension)
        for item_id in meta["items"]:
            self._catalogue.ensure(item_id)
        self._ranking.state()
        self._ranking.counts.restore(part(arrays, "counts."))
        self._figures.restore(part(arrays, "figures."))
        self._influence.restore(part(arrays, "influence."))
        fused = part(arrays, "fused.")
        if self._weights.fusion is not None and fused:
            self._weights.fusion.restore(fused)
        self._weights.adopt_gate(arrays, len(self._catalogue))
        self._weights.gate.moved[:] = self._weights.gate.bias != 0.0
        self._watermark = dict(meta["watermark"])
        self._learned = int(meta["learned"])
        self._journal = Journal(self._watermark)
        if announced:
            self.add_items(announced)
