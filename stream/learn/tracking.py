"""How learning goes, as curves: at times the figures of the learner's record on `metrics`, each of
which the registry names, with the distributions of weights and norms beside them.

It computes no figure of its own but norms, and asks for them on the thread that learns.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from learner.fused.model import FusedModel
from learner.fused.shapes import WIDTH
from learner.fused.trained import TrainedModel
from learner.ranking.gate import PER_SIGNAL
from learner.ranking.names import SIGNALS
from learner.training.learner import Learner
from stream.metrics.metric import leaves
from stream.metrics.registry import METRICS
from stream.runs.port import Curves
from upwell.settings import TrackingSettings

__all__ = ["Tracker", "distributions", "figures", "tracking"]

MOST_ITEMS = 4_096
"""Whose norms are looked at, evenly spread."""
DRAWN = tuple(
    one
    for one in METRICS
    if "learn" in one.roles and one.kind != "histogram" and one.unit != "UTC seconds"
)

log = logging.getLogger("upwell.learn")


class Tracker:
    """clock: monotonic seconds. every: seconds between two points."""

    def __init__(
        self, to: Curves, learner: Learner, every: float, clock: Callable[[], float]
    ) -> None:
        self._to = to
        self._learner = learner
        self._every = every
        self._clock = clock
        self._due = clock()
        self._fails = False

    def show(self, record: bytes) -> None:
        """record: of the learner on `metrics`. Where nothing can be written, that is said once."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + self._every
        told = orjson.loads(record)
        drawn = {
            name: finite
            for name, values in distributions(self._learner)
            if len(finite := values[np.isfinite(values)])
        }
        scalars = dict(figures(told)) | dict(_gate(self._learner))
        scalars |= {f"{name}/mean": float(values.mean()) for name, values in drawn.items()}
        try:
            step, at = told["model_examples"], told["at"] / 1000.0
            self._to.write(step, at, scalars, drawn)
        except OSError as exc:
            if not self._fails:
                log.warning("curves cannot be written (%s): learning goes on, and tries again", exc)
            self._fails = True
        else:
            self._fails = False


@contextmanager
def tracking(settings: TrackingSettings, learner: Learner) -> Iterator[Callable[[bytes], None]]:
    """What is to be told each of the learner's records. Raises `SettingsError` as `curves`."""
    if settings.to is None:
        yield lambda _: None
        return
    from stream.runs.kinds import curves

    to = curves(settings.to)
    try:
        yield Tracker(to, learner, settings.seconds, time.monotonic).show
    finally:
        try:
            to.close()
        except OSError as exc:
            log.warning("curves cannot be ended (%s)", exc)


def figures(record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Of a record all that the registry names, as `name/label`."""
    for metric in DRAWN:
        for labels, value in leaves(record, metric.path):
            yield "/".join((metric.name, *labels)), float(value) * metric.scale


def distributions(learner: Learner) -> Iterator[tuple[str, NDArray[np.floating[Any]]]]:
    """Of the weights in training: the gate's weights, items' biases, and lengths of the fused
    model's vectors of items and of the users who were ranked for last.
    """
    gate = learner.parameters.gate.state
    yield "gate_weights", gate.weights.ravel()
    yield "gate_biases", gate.bias[gate.bias != 0.0]
    fused = learner.parameters.fused
    if isinstance(fused, TrainedModel) and fused.ready:
        yield "item_norm", _norms(fused.item_vectors(_some(fused)))
        yield "user_norm", _norms(fused.asked)


def _gate(learner: Learner) -> Iterator[tuple[str, float]]:
    """How much each signal moves a score: the length of its shared weights."""
    state = learner.parameters.gate.state
    shared = state.weights[0, : PER_SIGNAL * len(SIGNALS)].reshape(len(SIGNALS), PER_SIGNAL)
    for signal, length in zip(SIGNALS, np.linalg.norm(shared, axis=1), strict=True):
        yield f"gate/{signal}", float(length)
    yield "gate/fatigue", float(state.wear[0])


def _some(fused: FusedModel) -> NDArray[np.int64]:
    rows = np.flatnonzero(fused.items.announced[: fused.items.size])
    return rows[:: max(1, len(rows) // MOST_ITEMS)]


def _norms(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, m + 1) without the bias, the last column."""
    return np.asarray(np.linalg.norm(vectors[:, :WIDTH], axis=1), np.float32)
