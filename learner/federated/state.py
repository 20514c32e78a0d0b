"""The model that a federation has after so many rounds, in the places of its layout, as arrays and
back, and as a checkpoint that an engine starts from.

It knows nothing about who reported what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.counts import TABLES
from learner.federated.counted import Counted, empty_counted
from learner.federated.layout import Layout
from learner.federated.tables import Table
from learner.ranking.parameters import Arrays, part, prefixed
from learner.release.replica import SERVING
from learner.training.learner import Learner
from upwell.settings import LearnerSettings

__all__ = [
    "BY_ITEM",
    "GlobalModel",
    "checkpoint_of",
    "contract",
    "counted_arrays",
    "counted_of",
    "first_model",
    "weights_of",
    "whole_of",
]

BY_ITEM = ("fused.identities", "gate.bias")
"""Weights with a row an item."""
_OWN = ("gate.squares", "gate.lifetime", "gate.repeats")
_NOT_WEIGHTS = (*_OWN, "gate.rows", "fused.rows", "fused.ready")
_TRAINED = "fused.trainer.model."
_EVENTS = _TRAINED + "counts"
_FIRST_SQUARE = 1e-8
"""Of row-wise Adagrad: its first step is as long as that of an item that was never trained."""
FORMAT = "upwell-federated-1"


@dataclass(frozen=True, slots=True)
class GlobalModel:
    """weights: by name, float32; those of `BY_ITEM` have a row a place. counted: of all clients.
    ready: the fused model was trained. rounds: finished so far.
    """

    layout: Layout
    weights: Mapping[str, NDArray[np.float32]]
    counted: Counted
    ready: bool = False
    rounds: int = 0

    def widened(self, layout: Layout) -> GlobalModel:
        """With the items that a longer layout has more."""
        more = len(layout) - len(self.layout)
        weights = {
            name: np.pad(one, ((0, more),) + ((0, 0),) * (one.ndim - 1)) if name in BY_ITEM else one
            for name, one in self.weights.items()
        }
        return GlobalModel(
            layout, weights, self.counted.widened(len(layout)), self.ready, self.rounds
        )

    def arrays(self) -> Arrays:
        """All but the layout's words."""
        return prefixed("weights.", self.weights) | counted_arrays(self.counted)

    def head(self) -> dict[str, Any]:
        """The rest, JSON-ready."""
        return {
            "ids": list(self.layout.ids),
            "digests": list(self.layout.digests),
            "clock": self.counted.clock,
            "ready": self.ready,
            "rounds": self.rounds,
        }

    @classmethod
    def of(cls, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> GlobalModel:
        """The inverse. Raises `KeyError`, `ValueError` where something is missing."""
        layout = Layout(tuple(head["ids"]), tuple(head["digests"]))
        counted = counted_of(arrays, int(head["clock"]))
        return cls(layout, part(arrays, "weights."), counted, head["ready"], head["rounds"])


def counted_arrays(counted: Counted) -> Arrays:
    """Of the sums and tables."""
    found: Arrays = {
        "counts.sums": counted.sums,
        "counts.last": counted.last,
        "counts.first": counted.first,
    }
    for name, table in counted.tables.items():
        found |= {f"table.{name}.keys": table.keys, f"table.{name}.values": table.values}
    return found


def counted_of(arrays: Mapping[str, NDArray[Any]], clock: int = 0) -> Counted:
    """The inverse. Raises `KeyError`."""
    tables = {
        name: Table(arrays[f"table.{name}.keys"], arrays[f"table.{name}.values"]) for name in TABLES
    }
    return Counted(
        arrays["counts.sums"], tables, arrays["counts.last"], arrays["counts.first"], clock
    )


def contract(learner: Learner, encoder: str) -> dict[str, Any]:
    """What has to be the same at the server and at every client, JSON-ready."""
    shapes = {
        name: list(one.shape[1:] if name in BY_ITEM else one.shape)
        for name, one in weights_of(learner, np.zeros(0, np.int64)).items()
    }
    return {
        "format": FORMAT,
        "encoder": encoder,
        "dimension": learner.dimension,
        "neighbours": learner.settings.neighbours,
        "weights": dict(sorted(shapes.items())),
    }


def weights_of(learner: Learner, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    """What a learner ranks by now, of the items in `rows`; no optimizer's sums."""
    whole = learner.parameters.whole()
    size = learner.items
    found = {
        name: np.asarray(one, np.float32)
        for name, one in whole.items()
        if name not in (*_NOT_WEIGHTS, *BY_ITEM)
    }
    for name, of in (("fused.identities", "fused.rows"), ("gate.bias", "gate.rows")):
        if name in whole:
            dense = np.zeros((size, *whole[name].shape[1:]), np.float32)
            dense[whole[of]] = whole[name]
            found[name] = dense[rows]
    return found


def whole_of(
    learner: Learner,
    weights: Mapping[str, NDArray[np.float32]],
    rows: NDArray[np.int64],
    ready: bool,
) -> Arrays:
    """For `Learner.go_on_from`: these weights, of the items in `rows`; of all other items the
    learner's own, and its own optimizer's sums.
    """
    own = learner.parameters.whole()
    mixed = weights_of(learner, np.arange(learner.items))
    for name in BY_ITEM:
        if name in mixed:
            mixed[name][rows] = weights[name]
    found: Arrays = {
        name: np.asarray(mixed[name] if name in BY_ITEM else weights[name], own[name].dtype)
        for name in mixed
    }
    wear = np.array(own["gate.wear"])
    wear[0] = weights["gate.wear"][0]
    found |= {"gate.wear": wear, **{name: own[name] for name in _OWN}}
    for name, of in (("fused.identities", "fused.rows"), ("gate.bias", "gate.rows")):
        if name in found:
            columns = tuple(range(1, found[name].ndim))
            some = np.flatnonzero(found[name].any(axis=columns))
            found |= {name: found[name][some], of: some.astype(np.int32)}
    if "fused.ready" in own:
        found["fused.ready"] = np.array([ready])
    return found


def first_model(settings: LearnerSettings, dimension: int) -> GlobalModel:
    """Nothing learned, from the settings' seed."""
    fresh = Learner(settings, dimension, settings.seed)
    return GlobalModel(Layout(), weights_of(fresh, np.zeros(0, np.int64)), empty_counted(0))


def checkpoint_of(
    model: GlobalModel, settings: LearnerSettings, dimension: int
) -> tuple[Arrays, dict[str, Any]]:
    """Arrays and meta as the learn process saves them: an engine without events of its own starts
    from there, and its items are announced as they come.
    """
    learner = Learner(settings, dimension, settings.seed)
    arrays = learner.arrays() | prefixed("counts.", model.counted.arrays())
    arrays[_EVENTS] = model.counted.events
    meta = learner.meta() | {"items": list(model.layout.ids), "learned": model.counted.clock}
    learner.restore(arrays, meta)
    whole = whole_of(learner, model.weights, np.arange(len(model.layout)), model.ready)
    learner.go_on_from(whole)
    found = learner.arrays() | prefixed(SERVING, learner.parameters.whole())
    if "fused.rows" in whole:
        found |= {
            _TRAINED + "rows": whole["fused.rows"],
            _TRAINED + "identities": np.asarray(whole["fused.identities"], np.float32),
            _TRAINED + "squares": np.full(len(whole["fused.rows"]), _FIRST_SQUARE, np.float32),
        }
    return found, {"version": learner.version, "learner": meta, "positions": {}, "topics": {}}
