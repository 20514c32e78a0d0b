"""Figures by group: by hand, against Fairlearn's where it is installed, and over a restart."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.ranking.gate import BANDS, band_of
from learner.testing.figures import RUNNING_HALF_LIFE
from learner.testing.groups import ACTIVITY, GROUPS, GroupFigures, activity_of
from learner.training.learner import Learner
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem, Example, Interaction

SETTINGS = LearnerSettings(fused=False)
DIMENSION = 4


def drawn(count: int) -> tuple[NDArray[np.float64], dict[str, NDArray[np.int8]]]:
    random = np.random.default_rng(2)
    groups = {
        by: random.integers(-1, len(names), count).astype(np.int8) for by, names in GROUPS.items()
    }
    return random.integers(1, 30, count).astype(float), groups


def test_activity_is_the_gate_s_bands() -> None:
    events = np.arange(40)
    assert activity_of(events).tolist() == [band_of(int(one)) for one in events]
    assert len(ACTIVITY) == BANDS
    assert [ACTIVITY[band] for band in activity_of(np.array([0, 2, 6, 14, 15, 10**9]))] == [
        *ACTIVITY,
        "15+",
    ]


def test_each_group_forgets_by_its_own_targets() -> None:
    ranks, groups = drawn(300)
    whole, parts = GroupFigures(), GroupFigures()
    whole.record(ranks, groups)
    for start in range(0, 300, 37):
        some = slice(start, start + 37)
        parts.record(ranks[some], {by: one[some] for by, one in groups.items()})
    keep = 2.0 ** (-1.0 / RUNNING_HALF_LIFE)
    for by, names in GROUPS.items():
        for place, name in enumerate(names):
            own = ranks[groups[by] == place]
            weights = keep ** np.arange(len(own))[::-1]
            gains = np.where(own <= 10, 1 / np.log2(1 + own), 0.0)
            for figures in (whole, parts):
                found = figures.report()[by][name]
                assert found["ndcg10"] == pytest.approx(weights @ gains / weights.sum())
                assert found["hr10"] == pytest.approx(weights @ (own <= 10) / weights.sum())


def test_the_figures_by_group_are_fairlearn_s(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = pytest.importorskip("fairlearn.metrics")
    monkeypatch.setattr("learner.testing.segments.RUNNING_HALF_LIFE", 1e12)  # nothing is forgotten
    ranks, groups = drawn(500)
    gains = np.where(ranks <= 10, 1 / np.log2(1 + ranks), 0.0)
    figures = GroupFigures()
    figures.record(ranks, groups)
    for by, names in GROUPS.items():
        known = groups[by] >= 0
        frame = metrics.MetricFrame(
            metrics={"ndcg10": lambda true, said: said.mean()},
            y_true=np.ones(int(known.sum())),
            y_pred=gains[known],
            sensitive_features=[names[place] for place in groups[by][known]],
        )
        for name in names:
            told = figures.report()[by][name]["ndcg10"]
            assert told == pytest.approx(frame.by_group["ndcg10"][name])


def test_nothing_is_told_of_a_group_without_targets() -> None:
    figures = GroupFigures()
    figures.record(np.zeros(0), {by: np.zeros(0, np.int8) for by in GROUPS})
    assert all(
        one == {"ndcg10": None, "hr10": None}
        for groups in figures.report().values()
        for one in groups.values()
    )


def test_a_checkpoint_keeps_them_and_one_without_them_begins_anew() -> None:
    ranks, groups = drawn(50)
    figures, again = GroupFigures(), GroupFigures()
    figures.record(ranks, groups)
    again.restore(figures.arrays())
    assert again.report() == figures.report()
    again.restore({})
    assert again.report() == GroupFigures().report()


def example(number: int, item: int, user_events: int) -> Example:
    return Example(
        source="clicks-0",
        offset=number,
        user=f"u{number}",
        event=Interaction(f"e{number}", number, f"i{item}", "click", None),
        history=(),
        intent=None,
        user_events=user_events,
        tested=True,
    )


def test_a_learner_tells_the_groups_of_its_targets_and_keeps_them() -> None:
    vectors = np.eye(DIMENSION, dtype=np.float32)
    items = [
        CatalogueItem(
            item_id=f"i{row}", ts=row, title=f"t{row}", vector=vectors[row % 4], revision="r"
        )
        for row in range(20)
    ]
    learner, again = (Learner(SETTINGS, DIMENSION, 7) for _ in range(2))
    learner.add_items(items)
    learner.learn([example(number, 3, 0) for number in range(30)])
    for group in learner.groups.report().values():
        assert sum(one["ndcg10"] is not None for one in group.values()) == 1
    learner.learn([example(30 + number, 19, 20) for number in range(5)])
    told = learner.groups.report()
    assert {name for name, one in told["activity"].items() if one["hr10"] is not None} == {
        "0",
        "15+",
    }
    assert told["newness"]["new"]["hr10"] is not None, "the item announced last"
    again.add_items(items)
    again.restore(learner.arrays(), learner.meta())
    assert again.groups.report() == told
    old = {name: one for name, one in learner.arrays().items() if not name.startswith("groups.")}
    again.restore(old, learner.meta())
    assert again.groups.report() == GroupFigures().report()
