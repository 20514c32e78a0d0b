"""What has relations alone stands where its neighbours do; a fit knows nothing that comes later.

Where PyTorch Geometric, an extra, is missing, the graph alone is tested.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pytest

from bench.peers import refitted
from bench.peers.graph import (
    ALONE,
    RELATED,
    LightGCN,
    Setting,
    graph_of,
    graph_peers,
    related_rows,
)
from bench.peers.refitted import seen_matrix
from upwell.values import CatalogueItem

ITEMS = 11
PIECES, BAKERY, MET_BY_NOBODY = range(4), range(4, 8), (8, 9, 10)
RELATED_ROWS = np.array([(8, 0), (8, 1), (5, 9), (9, 4)], np.int64)
PAIRS = [
    (user, group[(user + step) % 4])
    for user in range(24)
    for group in (PIECES if user % 2 else BAKERY,)
    for step in range(3)
]
"""Each user has three of four: of rows 0 to 3, or of 4 to 7. 8 is related to the first, 9 to the
others, 10 to nothing."""


@cache
def fitted(related: bool, layers: int) -> LightGCN:
    pytest.importorskip("torch_geometric", reason="the dependency group bench is not installed")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        rows = RELATED_ROWS if related else RELATED_ROWS[:0]
        return LightGCN(rows, seen_matrix(PAIRS, ITEMS), Setting(layers))


def catalogue() -> list[CatalogueItem]:
    named = {8: ("0", "1", "gone", "8"), 9: ("4",), 5: ("9",)}
    return [
        CatalogueItem(
            item_id=str(row),
            ts=1,
            title=f"item {row}",
            vector=np.zeros(2, np.float32),
            revision="none",
            relations=(("goes_with", named[row]),) if row in named else (),
        )
        for row in range(ITEMS)
    ]


def test_edges_lead_both_ways_and_are_divided_by_the_roots_of_both_ends() -> None:
    # one user with rows 0 and 1; row 2 is named twice by 0, and names it; 1 names it, one way
    named = np.array([(0, 2), (0, 2), (2, 0), (1, 2)])
    graph = graph_of(seen_matrix([(0, 0), (0, 1)], 4), named, 0.5)
    plain = np.zeros((5, 5))
    plain[:2, 2] = plain[2, :2] = 0.5
    plain[4, :2] = plain[:2, 4] = 1.0
    sums = np.array([1.5, 1.5, 1.0, 0.0, 2.0])
    roots = np.array([1 / np.sqrt(one) if one else 0.0 for one in sums])
    assert graph.roots == pytest.approx(roots)
    assert graph.edges.toarray() == pytest.approx(plain * np.outer(roots, roots))


def test_what_an_item_names_is_found_by_its_row() -> None:
    assert sorted(map(tuple, related_rows(catalogue()).tolist())) == [
        (5, 9),
        (8, 0),
        (8, 1),
        (9, 4),
    ]
    assert related_rows(catalogue()[:4]).shape == (0, 2)


@pytest.mark.parametrize("layers", sorted({one.layers for one in ALONE}))
def test_users_are_asked_back_to_what_is_like_theirs(layers: int) -> None:
    scores = fitted(False, layers).score([0, 1])
    assert scores[list(PIECES)].min() > scores[list(BAKERY)].max()
    assert scores[list(MET_BY_NOBODY)].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("layers", sorted({one.layers for one in RELATED}))
def test_an_item_with_relations_alone_is_near_its_neighbours_users(layers: int) -> None:
    model = fitted(True, layers)
    for rows, near, far in (([2], 8, 9), ([2, 3], 8, 9), ([6], 9, 8), ([6, 7], 9, 8)):
        scores = model.score(rows)
        assert scores[near] > max(scores[far], 0.0)
        assert scores[10] == 0.0
    of_the_unmet = model.score([8])
    assert of_the_unmet[list(PIECES)].min() > of_the_unmet[list(BAKERY)].max()


def test_the_same_events_make_the_same_model_and_leave_the_lot_alone() -> None:
    import torch

    before = torch.random.get_rng_state()
    one, other = fitted(True, 2), fitted.__wrapped__(True, 2)
    assert one is not other
    np.testing.assert_array_equal(one.score([1, 8]), other.score([1, 8]))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
def test_nothing_is_known_of_what_comes_after_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch_geometric", reason="the dependency group bench is not installed")
    monkeypatch.setattr(refitted, "REFIT_EVERY", 40)
    found = []
    for after in ([], [("u1", 6), ("u1", 7)] * 19):
        peer = graph_peers(catalogue())["lightgcn_related"]
        assert peer.score("u1", [1]).tolist() == [0.0] * ITEMS
        for user, row in [(f"u{user}", row) for user, row in PAIRS[:40]] + after:
            peer.learn(user, [], row)
        found.append(peer.score("u1", [1]))
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0].argmax() in PIECES


def test_without_relations_one_model_is_enough() -> None:
    assert list(graph_peers(catalogue())) == ["lightgcn", "lightgcn_related"]
    assert list(graph_peers(catalogue()[:4])) == ["lightgcn"]
