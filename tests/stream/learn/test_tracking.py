"""Records of a learner in, curves out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from learner.fused.trained import TrainedModel
from learner.ranking.names import SIGNALS
from learner.release.guard import Guard
from learner.training.learner import Learner
from learner.training.promotion import Promotion
from stream.learn.topics import figures_record
from stream.learn.tracking import Tracker, distributions, tracking
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, log
from tests.stream.runs.test_tensorboard import events, scalars
from upwell.settings import TrackingSettings


@dataclass
class Kept:
    """What was drawn."""

    steps: list[tuple[int, float]] = field(default_factory=list)
    scalars: dict[str, float] = field(default_factory=dict)
    distributions: dict[str, NDArray[Any]] = field(default_factory=dict)
    full: bool = False

    def write(
        self,
        step: int,
        at: float,
        scalars: Mapping[str, float],
        distributions: Mapping[str, NDArray[Any]],
    ) -> None:
        if self.full:
            raise OSError("disk full")
        self.steps.append((step, at))
        self.scalars, self.distributions = dict(scalars), dict(distributions)

    def describe(self, told: Mapping[str, Any], at: float) -> None:
        raise AssertionError("learn is no run of its own")

    def close(self, failed: bool = False) -> None:
        self.full = True


@pytest.fixture(scope="module")
def learner() -> Learner:
    settings = replace(SETTINGS, fused=True, fused_every=50, self_supervised=True)
    found = Learner(settings, DIMENSION, 1)
    found.add_items(catalogue())
    found.learn(log(300)[0])
    return found


def record(learner: Learner, at: int = 5_000) -> bytes:
    return figures_record(
        learner,
        Promotion(learner, Guard()),
        at,
        learned=300,
        waiting=7,
        positions={0: 300},
        topic_id="id",
        engine="e",
    ).value


def test_every_figure_of_the_record_and_the_weights_are_drawn(learner: Learner) -> None:
    kept = Kept()
    Tracker(kept, learner, 30.0, lambda: 0.0).show(record(learner))
    assert kept.steps == [(300, 5.0)]
    told = orjson.loads(record(learner))
    drawn = kept.scalars
    assert drawn["examples"] == 300
    assert drawn["examples_waiting"] == 7
    assert drawn["train_steps"] == told["train"]["steps"] > 0
    for part in ("main", "sequence", "alignment"):
        assert drawn[f"train_loss/{part}"] == told["train"]["loss"][part]
    running = told["figures"]["running"]
    for model in ("model", "popularity", "covisitation"):
        assert drawn[f"ndcg10/{model}/all"] == running[model]["ndcg10"]["all"]
        assert drawn[f"hr10/{model}/warm"] == running[model]["hr10"]["warm"]
    assert "reported_timestamp_seconds" not in drawn
    assert {f"gate/{one}" for one in SIGNALS} <= set(drawn)
    weights = kept.distributions["gate_weights"]
    assert np.array_equal(weights, learner.parameters.gate.state.weights.ravel())
    assert drawn["gate_weights/mean"] == pytest.approx(float(weights.mean()))


def test_norms_are_of_the_vectors_that_rank(learner: Learner) -> None:
    found = dict(distributions(learner))
    assert set(found) == {"gate_weights", "gate_biases", "item_norm", "user_norm"}
    fused = learner.parameters.fused
    assert isinstance(fused, TrainedModel)
    lengths = np.linalg.norm(fused.item_matrix()[:, :-1], axis=1)
    assert np.array_equal(found["item_norm"], lengths)
    assert np.array_equal(found["user_norm"], np.linalg.norm(fused.asked[:, :-1], axis=1))
    assert found["user_norm"].min() > 0


def test_a_learner_that_has_seen_nothing_is_drawn_too() -> None:
    fresh, kept = Learner(SETTINGS, DIMENSION, 1), Kept()
    Tracker(kept, fresh, 30.0, lambda: 0.0).show(record(fresh))
    assert set(kept.distributions) == {"gate_weights"}


def test_a_value_that_is_not_finite_does_not_end_it() -> None:
    broken, kept = Learner(SETTINGS, DIMENSION, 1), Kept()
    broken.parameters.gate.state.weights[0, :2] = np.nan, np.inf
    Tracker(kept, broken, 30.0, lambda: 0.0).show(record(broken))
    assert len(kept.distributions["gate_weights"]) == broken.parameters.gate.state.weights.size - 2


def test_a_point_each_so_many_seconds(learner: Learner) -> None:
    kept, now = Kept(), 0.0
    tracker = Tracker(kept, learner, 30.0, lambda: now)
    for now in (0.0, 1.0, 29.9, 30.0, 59.0, 61.0):
        tracker.show(record(learner, int(1_000 * now)))
    assert [at for _, at in kept.steps] == [0.0, 30.0, 61.0]


def test_a_full_disk_is_said_once_and_ends_nothing(
    learner: Learner, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    kept, now = Kept(full=True), 0.0
    tracker = Tracker(kept, learner, 1.0, lambda: now)
    for now in (0.0, 1.0, 2.0):  # noqa: B007 -- the clock reads it
        tracker.show(record(learner))
    assert [one.getMessage() for one in caplog.records] == [
        "curves cannot be written (disk full): learning goes on, and tries again"
    ]
    kept.full, now = False, 4.0
    tracker.show(record(learner))
    assert len(kept.steps) == 1


def test_the_setting_draws_into_its_folder_and_unset_draws_nothing(
    learner: Learner, tmp_path: Path
) -> None:
    with tracking(TrackingSettings(), learner) as show:
        show(b"no record at all")
    with tracking(TrackingSettings(to=f"tensorboard:{tmp_path}"), learner) as show:
        show(record(learner))
    _, drawn = events(tmp_path)
    assert (drawn.step, scalars(drawn)["examples_waiting"]) == (300, 7.0)
