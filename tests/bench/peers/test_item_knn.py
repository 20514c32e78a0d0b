from __future__ import annotations

import numpy as np
import pytest

from bench.peers import item_knn
from bench.peers.item_knn import ItemKNN, Near, item_knn_peers
from bench.peers.refitted import TooManyItemsError, seen_matrix

# rows 0 and 1 were had together by three users, 0 and 2 by one; 3 by nobody
PAIRS = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 2)]


def test_cosine_with_shrinkage() -> None:
    for shrink in (0.0, 5.0):
        scores = ItemKNN(seen_matrix(PAIRS, 4), Near(10, shrink)).score([0, 0])
        expected = [0.0, 3 / (np.sqrt(4 * 3) + shrink), 1 / (np.sqrt(4 * 1) + shrink), 0.0]
        assert scores == pytest.approx(expected, abs=1e-6)


def test_only_the_nearest_count() -> None:
    scores = ItemKNN(seen_matrix(PAIRS, 4), Near(1, 0.0)).score([0])
    assert np.flatnonzero(scores).tolist() == [1]


def test_what_a_user_had_is_summed() -> None:
    model = ItemKNN(seen_matrix(PAIRS, 4), Near(10, 1.0))
    assert model.score([0, 1]) == pytest.approx(model.score([0]) + model.score([1]))
    last = ItemKNN(seen_matrix(PAIRS, 4), Near(10, 1.0, 1))
    assert last.score([0, 1]) == pytest.approx(model.score([1]))


def test_a_new_user_gets_what_is_popular() -> None:
    peer = item_knn_peers(np.zeros((3, 2), np.float32))["item_knn"]
    peer.learn("ann", [], 2)
    assert peer.score("ben", []).argmax() == 2


def test_too_many_items_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_knn, "LARGEST", 2)
    with pytest.raises(TooManyItemsError, match="3 items"):
        ItemKNN(seen_matrix(PAIRS, 4), Near(1, 0.0))
