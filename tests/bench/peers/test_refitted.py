"""A parameter is chosen on what came before, and a refit sees nothing of what comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bench.peers import refitted
from bench.peers.baselines import Scores
from bench.peers.refitted import Held, Refitted, TooManyItemsError, best, seen_matrix, split


class Points:
    """Puts one row forward, whatever a user had."""

    def __init__(self, items: int, row: int) -> None:
        self._scores = np.zeros(items, np.float32)
        self._scores[row] = 1.0

    def score(self, rows: Sequence[int]) -> Scores:
        return self._scores


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refitted, "REFIT_EVERY", 10)


def test_the_last_tenth_is_held_out_with_what_its_users_had_before() -> None:
    pairs = [(0, row) for row in range(9)] + [(1, 0)] * 9 + [(0, 9), (1, 0)]
    earlier, held = split(pairs)
    assert list(earlier) == pairs[:18]
    assert held == [Held(tuple(range(9)), 9)]  # the other one had it already


def test_the_parameter_that_ranks_what_was_held_out_is_taken_of_equals_the_first() -> None:
    held = [Held((0,), 17), Held((1,), 17), Held((1,), 18)]
    assert best(lambda row: Points(30, row), [3, 18, 17, 16], held) == 17
    assert best(lambda row: Points(30, row), [3, 4], held) == 3


def test_repeats_count_once() -> None:
    assert seen_matrix([(0, 1), (0, 1), (1, 0)], 3).toarray().tolist() == [[0, 1, 0], [1, 0, 0]]


def test_a_refit_sees_all_before_it_chooses_on_a_part_and_nothing_that_comes() -> None:
    fits: list[tuple[int, int]] = []

    def fit(seen: Any, row: int) -> Points:
        fits.append((int(seen.sum()), row))
        return Points(40, row)

    peer = Refitted("points", 40, fit, [3, 9])
    for row in range(19):
        assert peer.score("ann", []).tolist() == [0.0] * 40
        peer.learn("ann", list(range(row)), row)
    assert fits == [(9, 3), (9, 9), (10, 9)]
    assert peer.score("ann", [0])[9] == 1.0


def test_what_is_too_large_is_said_and_the_fit_of_before_stays(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fit(seen: Any, row: int) -> Points:
        if seen.sum() > 10:
            raise TooManyItemsError("11 items")
        return Points(40, row)

    peer = Refitted("points", 40, fit, [9])
    for row in range(20):
        peer.learn("ann", list(range(row)), row)
    assert peer.score("ann", [0])[9] == 1.0
    assert "points: 20 events, not fitted: 11 items" in capsys.readouterr().err
