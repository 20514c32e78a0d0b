from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.peers import ease
from bench.peers.ease import EASE, ease_peers
from bench.peers.refitted import TooManyItemsError, seen_matrix

ITEMS = 7
PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, ITEMS - 1)), min_size=1, max_size=30)


@given(PAIRS, st.sampled_from([0.5, 3.0, 100.0]), st.lists(st.integers(0, ITEMS - 1), max_size=9))
def test_both_ways_give_what_the_paper_says(
    pairs: list[tuple[int, int]], penalty: float, rows: list[int]
) -> None:
    seen = seen_matrix(pairs, ITEMS)
    x = seen.toarray().astype(float)
    inverse = np.linalg.inv(x.T @ x + penalty * np.eye(ITEMS))
    weights = np.eye(ITEMS) - inverse / np.diag(inverse)
    assert np.abs(np.diag(weights)).max() < 1e-9
    had = np.zeros(ITEMS)
    had[rows] = 1.0
    known = x.any(axis=0)  # of others it knows nothing
    expected = np.where(known, (had * known) @ weights, 0.0)
    for dual in (False, True):
        assert EASE(seen, penalty, dual).score(rows) == pytest.approx(expected, abs=1e-5)


def test_items_that_go_together_come_together() -> None:
    pairs = [(user, row) for user in range(8) for row in ((0, 1) if user % 2 else (2, 3))]
    scores = EASE(seen_matrix(pairs, 5), 1.0).score([0])
    assert scores.argmax() == 1
    assert scores[4] == 0.0


def test_a_new_user_gets_what_is_popular() -> None:
    peer = ease_peers(np.zeros((3, 2), np.float32))["ease"]
    peer.learn("ann", [], 2)
    assert peer.score("ben", []).argmax() == 2


def test_what_is_too_large_both_ways_is_not_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "LARGEST", 1)
    with pytest.raises(TooManyItemsError, match="2 users and 3 items"):
        EASE(seen_matrix([(0, 0), (0, 1), (1, 2)], 3), 1.0)
