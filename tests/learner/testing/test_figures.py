"""Figures: ranks in, figures out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from learner.testing.figures import CUTOFF, MODEL, PEERS, RUNNING_HALF_LIFE, SLICES, Figures


def filled() -> Figures:
    figures = Figures()
    ranks = np.full((4, len(figures.names)), 50.0)
    ranks[:, 0] = [1.0, 3.0, 10.5, 2.0]
    top = np.array([[0, 1], [0, 1], [0, -1], [0, 2]], np.int32)
    cold_user, cold_item = (
        np.array([True, False, False, False]),
        np.array([True, True, False, False]),
    )
    figures.record(ranks, top, cold_user, cold_item, 4)
    return figures


def test_figures_by_slice() -> None:
    figures = filled()
    assert figures.targets == {"all": 4, "cold_user": 1, "cold_item": 2, "warm": 2}
    assert figures.hr10() == {"all": 0.75, "cold_user": 1.0, "cold_item": 1.0, "warm": 0.5}
    assert figures.ndcg10()["cold_item"] == pytest.approx((1.0 + 0.5) / 2)
    assert figures.mrr()["warm"] == pytest.approx((1 / 10.5 + 1 / 2) / 2)
    assert figures.ndcg10("popularity")["all"] == 0.0


def test_exposure() -> None:
    figures = filled()
    assert figures.coverage10 == 0.75
    shown = np.array([0.0, 1.0, 2.0, 4.0])
    assert figures.gini == pytest.approx(
        np.abs(shown[:, None] - shown).sum() / (2 * 16 * shown.mean())
    )


def test_reset_starts_counting_and_leaves_the_running_figures() -> None:
    figures = filled()
    running = figures.running
    figures.reset()
    assert figures.targets["all"] == 0
    assert math.isnan(figures.ndcg10()["all"])
    assert figures.report()["model"]["ndcg10"]["all"] is None
    assert figures.running == running
    assert running[0] == pytest.approx(0.75, abs=1e-3)


def test_arrays_come_back() -> None:
    figures, other = filled(), Figures()
    other.restore(figures.arrays())
    assert other.report() == figures.report()
    assert other.running == figures.running


def test_running_figures_forget_by_the_targets_of_their_slice() -> None:
    figures, keep = Figures(), 2.0 ** (-1.0 / RUNNING_HALF_LIFE)
    rng = np.random.default_rng(3)
    sums = np.zeros((len(figures.names), len(SLICES)))
    weights = np.zeros(len(SLICES))
    for n in (1, 5, 40):
        ranks = rng.integers(1, 30, (n, len(figures.names))).astype(float)
        cold_user, cold_item = rng.random(n) < 0.2, rng.random(n) < 0.3
        figures.record(ranks, np.zeros((n, 2), np.int32), cold_user, cold_item, 4)
        for row, user, item in zip(ranks, cold_user, cold_item, strict=True):
            member = np.array([True, user, item, not (user or item)])
            sums[:, member] = sums[:, member] * keep + (row <= CUTOFF)[:, None]
            weights[member] = weights[member] * keep + 1.0
    found = figures.report()["running"]
    for place, name in enumerate(figures.names):
        assert list(found[name]["hr10"].values()) == pytest.approx(list(sums[place] / weights))
    assert figures.running == (found[MODEL]["hr10"]["all"], found[MODEL]["ndcg10"]["all"])


def test_a_slice_without_a_target_has_no_running_figure() -> None:
    figures = Figures()
    assert figures.report()["running"][PEERS[0]]["ndcg10"]["cold_item"] is None
    assert figures.running == (0.0, 0.0)


def test_an_older_version_s_running_figures_go_on() -> None:
    figures, other = filled(), Figures()
    old = {name: one for name, one in figures.arrays().items() if name not in ("recent", "weights")}
    other.restore(old)
    assert other.running == pytest.approx(figures.running)
    assert other.report()["running"][MODEL]["ndcg10"]["warm"] is None
