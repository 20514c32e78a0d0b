"""Who stands where, beside a plain twin over dictionaries; and lists of a learner that have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from learner.training.learner import Learner
from learner.variety.places import ALIKE, SMOOTHED, Variety, arrange
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, requests_of
from tests.learner.training.small import log as events
from upwell.recommendations import Entry
from upwell.settings import LearnerSettings

MOST_ITEMS, CATEGORIES = 12, 4
Case = tuple[
    Variety, NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_], NDArray[np.float64], int
]
NO_CATEGORIES = np.full((MOST_ITEMS, 8), -1, np.int32)


def plain(
    variety: Variety,
    categories: NDArray[np.int32],
    liked: Sequence[int],
    pinned: NDArray[np.bool_],
    key: NDArray[np.float64],
    shown: int,
) -> tuple[list[int], int, dict[int, tuple[float, float]]]:
    """Of rows 0 to n - 1: their order, how many do not wait, the terms of who is in the list."""
    order = sorted(range(len(key)), key=lambda row: key[row])
    first = [row for row in order if pinned[row]]
    standing, waiting = list(first), list[int]()
    for row in order[len(first) :]:
        kin = [
            one
            for one in standing
            if variety.kin[one] == variety.kin[row] != 0
            and (variety.told[row] or cosine(variety, one, row) >= ALIKE)
        ]
        (waiting if variety.most and len(kin) >= variety.most else standing).append(row)
    terms: dict[int, tuple[float, float]] = {}
    if not (variety.diversity or variety.calibration):
        return standing + waiting, len(standing), terms
    chosen, left, shown = list(first), standing[len(first) :], min(shown, len(standing))
    while len(chosen) < shown:
        found = {
            row: (
                -variety.diversity * max([0.0, *(cosine(variety, row, one) for one in chosen)]),
                variety.calibration
                * (
                    fit([*chosen, row], categories, liked, shown)
                    - fit(chosen, categories, liked, shown)
                ),
            )
            for row in left
        }
        best = max(left, key=lambda row: (sum(found[row]) - key[row], -left.index(row)))
        terms[best] = found[best]
        chosen.append(best)
        left.remove(best)
    return chosen + left + waiting, len(standing), terms


def cosine(variety: Variety, one: int, other: int) -> float:
    vectors = variety.vectors.astype(np.float64)
    return float(vectors[one] @ vectors[other])


def fit(
    rows: Sequence[int], categories: NDArray[np.int32], liked: Sequence[int], shown: int
) -> float:
    """Minus the divergence of the smoothed mix of a list, but for what no list changes."""

    def mix(some: Sequence[int], part: float) -> dict[int, float]:
        found: dict[int, float] = {}
        for row in some:
            own = [int(code) for code in categories[row] if code >= 0]
            for code in own:
                found[code] = found.get(code, 0.0) + part / len(own)
        return found

    wanted = mix(liked, 1.0)
    total = sum(wanted.values())
    held = mix(rows, 1.0 / shown)
    return sum(
        share / total * log((1 - SMOOTHED) * held.get(code, 0.0) + SMOOTHED * share / total)
        for code, share in wanted.items()
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n = draw(st.integers(0, MOST_ITEMS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = rng.standard_normal((MOST_ITEMS, 3)).astype(np.float32)
    vectors[rng.random(MOST_ITEMS) < 0.5] = vectors[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    categories = NO_CATEGORIES.copy()
    for row in range(MOST_ITEMS):
        own = rng.permutation(CATEGORIES)[: rng.integers(0, 3)]
        categories[row, : len(own)] = own
    variety = Variety(
        rng.integers(0, 4, MOST_ITEMS).astype(np.int64),
        rng.random(MOST_ITEMS) < 0.5,
        vectors,
        draw(st.integers(0, 3)),
        draw(st.sampled_from([0.0, 0.5, 3.0])),
        draw(st.sampled_from([0.0, 1.0])),
    )
    pinned = rng.random(MOST_ITEMS) < draw(st.sampled_from([0.0, 0.2]))
    key = rng.standard_normal(n) - 1e9 * pinned[:n]
    liked = rng.permutation(MOST_ITEMS)[: draw(st.integers(0, 5))].astype(np.int32)
    return variety, categories, liked, pinned, key, draw(st.integers(0, n))


@settings(max_examples=300, deadline=None)
@given(cases())
def test_places_are_those_of_the_plain_twin(case: Case) -> None:
    variety, categories, liked, pinned, key, shown = case
    order, terms = np.argsort(key, kind="mergesort"), np.zeros((len(key), 2))
    found = np.arange(len(key), dtype=np.int32)
    ready = arrange(variety, categories, liked, pinned, found, key, shown, order, terms)
    expected, standing, told = plain(variety, categories, liked.tolist(), pinned, key, shown)
    assert order[:shown].tolist() == expected[:shown]
    assert sorted(order.tolist()) == sorted(expected)
    assert ready == max(standing, shown)
    assert set(order[ready:].tolist()) == set(expected[ready:])
    for row in range(len(key)):
        assert terms[row].tolist() == pytest.approx(told.get(row, (0.0, 0.0)), abs=1e-6)
    scores = [-key[row] + terms[row].sum() for row in order[: min(shown, standing)]]
    assert scores == sorted(scores, reverse=True) or np.allclose(scores, sorted(scores)[::-1])


def ids(entries: Sequence[Entry]) -> list[str]:
    return [one.item_id for one in entries]


EXAMPLES, STATES = events(300)
REQUESTS = [replace(one, words=None) for one in requests_of(STATES)]


def learner(told: LearnerSettings = SETTINGS, groups: Mapping[str, str] = {}) -> Learner:
    """Items of these groups."""
    made = Learner(told, DIMENSION, 7)
    made.add_items([replace(one, group=groups.get(one.item_id)) for one in catalogue()])
    made.learn(EXAMPLES)
    return made


def test_of_a_group_the_best_stands_and_no_list_is_shorter() -> None:
    request = replace(REQUESTS[0], k=10)
    before = ids(learner().rank([request])[0])
    groups = dict.fromkeys(before[1:5], "shirt")
    after = learner(groups=groups).rank([request, replace(request, k=10_000)])
    assert ids(after[0])[:3] == [*before[:2], before[5]]
    assert [one for one in ids(after[1]) if one in groups] == before[1:5]
    assert ids(after[1])[-3:] == before[2:5], "behind all others"
    both = learner(replace(SETTINGS, same_group=2), groups).rank([request])[0]
    assert ids(both)[:4] == [*before[:3], before[5]]
    off = learner(replace(SETTINGS, same_group=0), groups).rank([request])[0]
    assert ids(off) == before


def test_pins_stand_first_whatever_is_of_their_group() -> None:
    request = replace(REQUESTS[0], k=10)
    before = ids(learner().rank([request])[0])
    last = before[-2:]
    grouped = learner(groups=dict.fromkeys((before[0], *last), "g"))
    found = ids(grouped.rank([replace(request, pinned=tuple(last))])[0])
    assert set(found[:2]) == set(last)
    assert before[0] not in found
    gone = ids(grouped.rank([replace(request, exclude=(before[0],))])[0])
    assert last[0] in gone, "who is left out keeps no place"


def test_what_is_drawn_by_lot_is_no_variant_of_the_list_and_propensities_are_exact() -> None:
    told = replace(SETTINGS, explore=0.5)
    requests = [replace(REQUESTS[0], k=5, lot=str(number)) for number in range(400)]
    free = learner(told)
    cold = {one[-1].item_id for one in free.rank(requests) if one[-1].explored}
    assert len(cold) > 1
    first = free.rank(requests[:1])[0][0].item_id
    groups = dict.fromkeys([first, min(cold)], "g")
    lists = learner(told, groups).rank(requests)
    drawn = [one[-1].item_id for one in lists if one[-1].explored]
    assert min(cold) not in drawn
    pool = set(drawn)
    for entries in lists:
        expected = 0.5 / len(pool) if entries[-1].explored else 0.5
        assert entries[-1].propensity == pytest.approx(expected)


def test_terms_are_told_and_reasons_still_sum_to_a_score_that_falls() -> None:
    told = replace(SETTINGS, diversity=2.0, calibration=2.0)
    signals = set()
    for entries in learner(told).rank([replace(one, k=8) for one in REQUESTS]):
        scores = [one.score for one in entries]
        assert scores == pytest.approx(sorted(scores, reverse=True), abs=1e-4)
        for one in entries:
            assert sum(reason.weight for reason in one.reasons) == pytest.approx(one.score)
            signals |= {reason.signal for reason in one.reasons}
    assert {"diversity", "calibration"} <= signals


def test_more_diversity_brings_lists_whose_items_are_less_alike() -> None:
    vectors = {one.item_id: one.vector for one in catalogue()}

    def alike(strength: float) -> float:
        lists = learner(replace(SETTINGS, diversity=strength)).rank(
            [replace(one, k=8) for one in REQUESTS]
        )
        some = [np.stack([vectors[one] for one in ids(entries)]) for entries in lists]
        return float(np.mean([one @ one.T for one in some]))

    assert alike(8.0) < alike(1.0) < alike(0.0)
