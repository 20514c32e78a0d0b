"""What ranks at one point of a stream: items, counts, parameters, and how far the stream was taken
in.

The learner teaches it by examples, a replica by deltas. It knows nothing about either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.catalogue import Catalogue
from learner.counts.popularity import COUNT
from learner.counts.released import install
from learner.fused.digest import item_keys
from learner.fused.items import ItemTable
from learner.fused.model import FusedModel
from learner.ranking.gate_parameters import Gate
from learner.ranking.parameters import RankingParameters, part
from learner.ranking.ranking import Ranking
from upwell.errors import ModelError
from upwell.knowledge import Rule
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.values import CatalogueItem

if TYPE_CHECKING:
    from upwell.settings import LearnerSettings

__all__ = ["OnlineModel"]

_EVENTS = "fused.trainer.model.counts"
"""Events on each item, by their name in the first checkpoints."""


class OnlineModel:
    """`dimension`: of the item and intent vectors. A port's `Ranker`. Not thread-safe.

    ranking: items, counts and the making of lists. parameters: it ranks by. learned: examples since
    the beginning. watermark: source → last offset taken in.
    """

    def __init__(self, settings: LearnerSettings, dimension: int) -> None:
        self.settings = settings
        self.dimension = dimension
        self._begin()

    def _begin(self) -> None:
        self.ranking = Ranking(self.settings, self.dimension)
        self._items = ItemTable(self.dimension)
        self.parameters = self.untrained()
        self.learned = 0
        self.watermark: dict[str, int] = {}
        self._keys = np.zeros(0, np.uint64)
        self._digest: str | None = None

    def untrained(self) -> RankingParameters:
        """More parameters over the same items and counts, by which nothing ranks by itself: for a
        guard. `restore` leaves them behind.
        """
        fused = FusedModel(self._items) if self.settings.fused else None
        return RankingParameters(Gate(), fused)

    @property
    def _catalogue(self) -> Catalogue:
        return self.ranking.catalogue

    def add_items(self, items: Sequence[CatalogueItem]) -> None:
        """Announces or replaces items. Raises `ModelError` where a vector has another dimension."""
        rows = self.ranking.announce(items)
        if len(rows):
            self.ranking.state()  # room is made now, not while somebody waits for the next list
            self._refer(rows)

    def take_rules(self, told: Mapping[str, Rule | None]) -> None:
        """Rules by id, in place of those of before; None takes one back."""
        self.ranking.rules.put(told)

    @property
    def rule_ids(self) -> Collection[str]:
        """Of those that hold; from any thread."""
        return self.ranking.rules.rules.keys()

    def _refer(self, rows: NDArray[np.int64]) -> None:
        """The fused models read the catalogue's vectors: again wherever rows were appended; those
        of `rows` are new.
        """
        self._items.large = self._catalogue.graph.large
        self._items.refer(self._catalogue.graph.vectors, len(self._catalogue), rows)

    def _appended(self) -> None:
        """After rows were ensured: makes room for them everywhere."""
        self.ranking.state()
        self._refer(np.zeros(0, np.int64))

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        """A list for each request, best first; pinned items stand first. Changes nothing that was
        learned.
        """
        return self.ranking.rank(requests, self.parameters)

    @property
    def version(self) -> str:
        """`version_with` what it ranks by itself."""
        if self._digest is None:
            self._digest = self.parameters.digest(self._item_keys())
        return f"{self.learned}-{self._digest}"

    def version_with(self, parameters: RankingParameters) -> str:
        """Examples learned, and a digest of all that ranks: the same on a replica that is level,
        and another where one weight, bias or identity differs.
        """
        return f"{self.learned}-{parameters.digest(self._item_keys())}"

    def _item_keys(self) -> NDArray[np.uint64]:
        if len(self._keys) < len(self._catalogue):
            new = item_keys(self._catalogue.ids[len(self._keys) :])
            self._keys = np.concatenate([self._keys, new])
        renamed = self._catalogue.take_renamed()
        self._keys[renamed] = item_keys([self._catalogue.ids[row] for row in renamed])
        return self._keys

    def _forget_items(self, rows: NDArray[np.int64]) -> None:
        """Nothing was counted or learned of them; their rows are free, but of those that are
        announced.
        """
        gone = np.zeros(self._catalogue.capacity, np.bool_)
        gone[rows] = True
        self.ranking.state()
        self.ranking.counts.forget(gone, len(self._catalogue))
        self.ranking.rates.forget(gone)
        self._items.forget(rows)
        self.parameters.forget(rows)
        self._catalogue.release(rows.tolist())
        self._digest = None

    def take_told(self, told: Mapping[str, NDArray[Any]]) -> None:
        """Counts that were told under noise, as of `install`, in place of all counts."""
        state, count = self.ranking.state(), len(self._catalogue)
        install(state, told, count, self._catalogue.graph.large)
        self._items.restore(state.popularity.values[COUNT, :count].astype(np.float32))

    # ---- checkpoints

    def _arrays(self) -> dict[str, NDArray[Any]]:
        """What is counted."""
        counts = self.ranking.counts.arrays(len(self._catalogue))
        self._appended()
        counted = {f"counts.{name}": array for name, array in counts.items()} | {
            _EVENTS: self._items.events[: self._items.size].copy()
        }
        return counted | self.ranking.rates.arrays(len(self._catalogue))

    def meta(self) -> dict[str, Any]:
        """Everything taken in that is no array, JSON-ready."""
        return {
            "items": list(self._catalogue.ids),
            "watermark": dict(self.watermark),
            "learned": self.learned,
            "dimension": self.dimension,
        }

    def _restore(self, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
        """Begins anew with what is counted. Items may be announced before or afterwards.

        Raises `ModelError` where they were made for vectors of another size.
        """
        if meta["dimension"] != self.dimension:
            raise ModelError(
                f"the checkpoint was made for vectors of {meta['dimension']} dimensions, "
                f"the encoder gives {self.dimension}: "
                "set UPWELL_ENCODER to the encoder that made them, or start afresh with "
                "another UPWELL_DATA and UPWELL_PREFIX"
            )
        announced = [item for item in self._catalogue.items if item is not None]
        rules = self.ranking.rules.rules
        self._begin()
        self.take_rules(rules)
        self._catalogue.restore(meta["items"])
        self.ranking.state()
        self.ranking.counts.restore(part(arrays, "counts."))
        self.ranking.rates.restore(arrays)
        self._refer(np.zeros(0, np.int64))
        if _EVENTS in arrays:
            self._items.restore(arrays[_EVENTS])
        self.watermark = dict(meta["watermark"])
        self.learned = int(meta["learned"])
        self.add_items(announced)
