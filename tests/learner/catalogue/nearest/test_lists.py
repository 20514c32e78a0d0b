"""One neighbour list: in order, without doubles, and what is taken out of it is gone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.catalogue.nearest.lists import (
    NEAREST,
    NEIGHBOURS,
    RESERVE,
    Known,
    TextNeighbours,
    emptied,
    insert,
    place_of,
    take_out,
)


def empty() -> tuple[TextNeighbours, Known]:
    wide = (1, NEIGHBOURS + RESERVE)
    graph = TextNeighbours(np.zeros(wide, np.int32), np.zeros(wide, np.float32), np.zeros(1, "i4"))
    known = Known(
        np.zeros(1, np.int32),
        np.ones(1, np.bool_),
        np.zeros(1, np.float32),
        np.zeros(1, np.bool_),
    )
    return graph, known


@given(st.permutations(range(150)), st.sets(st.integers(0, 149)))
def test_a_list_holds_the_most_similar_but_what_was_taken_out(
    others: list[int], gone: set[int]
) -> None:
    graph, known = empty()
    for other in others:
        if (similarity := (1 + other) / 200) > known.least[0]:
            insert(graph, known, 0, other, similarity)
    best = list(range(149, 149 - NEIGHBOURS - RESERVE, -1))
    assert graph.ids[0].tolist() == best
    known.moved[0] = False
    for other in gone:
        assert place_of(graph, known, 0, other) == (
            graph.ids[0, : known.held[0]].tolist().index(other) if other in best else -1
        )
        assert take_out(graph, known, 0, other) == (other in best)
    left = [other for other in best if other not in gone]
    assert graph.ids[0, : known.held[0]].tolist() == left
    assert graph.sizes[0] == min(NEIGHBOURS, len(left))
    assert known.moved[0] == bool(gone & set(best[: NEAREST + len(gone)])) or not known.moved[0]


def test_an_emptied_list_takes_in_whatever_comes() -> None:
    graph, known = empty()
    for other in range(150):
        if (similarity := (1 + other) / 200) > known.least[0]:
            insert(graph, known, 0, other, similarity)
    assert known.least[0] > 0.1
    emptied(graph, known, 0)
    assert (known.least[0], graph.sizes[0], bool(known.whole[0])) == (0.0, 0, True)
