"""Lists as they are promised: whom they leave out, in which order, and the same whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.counts.events import past_of
from learner.fused.histories import LENGTH, history_batch
from learner.ranking.gate_parameters import Gate
from learner.ranking.parameters import RankingParameters
from learner.ranking.ranking import BLOCK, Ranking
from tests.learner.training.small import (
    DIMENSION,
    ITEMS,
    SETTINGS,
    catalogue,
    learner_of,
    log,
    requests_of,
)
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.values import Interaction, UserState

EXAMPLES, STATES = log(300)
LEARNER = learner_of(EXAMPLES)
REQUESTS = [replace(one, words=None) for one in requests_of(STATES)]
IDS = [f"i{number}" for number in range(ITEMS)]


def ids(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.item_id for entry in entries]


def governed(changes: Mapping[str, Mapping[str, Any]]) -> tuple[Ranking, RankingParameters]:
    """The learner's ranking, of a learner of its own, with items announced anew."""
    learner = learner_of(EXAMPLES)
    by_id = {item.item_id: item for item in catalogue()}
    learner.add_items([replace(by_id[item], **change) for item, change in changes.items()])
    return learner.ranking, learner.parameters


@settings(max_examples=40)
@given(
    st.sampled_from(REQUESTS),
    st.integers(0, 2 * ITEMS),
    st.sets(st.sampled_from(IDS)),
    st.sampled_from([None, "even", "odd", "nothing"]),
)
def test_a_list_has_what_it_may_have_best_first_and_reasons_that_are_its_scores(
    request: RankRequest, k: int, exclude: set[str], category: str | None
) -> None:
    asked = replace(request, k=k, exclude=tuple(exclude), category=category)
    [entries] = LEARNER.rank([asked])
    of = {None: IDS, "even": IDS[::2], "odd": IDS[1::2], "nothing": []}[category]
    eligible = set(of) - exclude - set(request.state.had)
    assert len(set(ids(entries))) == len(entries) == min(k, len(eligible))
    assert set(ids(entries)) <= eligible
    found = [entry.score for entry in entries]
    assert found == pytest.approx(sorted(found, reverse=True), abs=1e-4)
    for entry in entries:
        total = sum(reason.weight for reason in entry.reasons)
        assert total == pytest.approx(entry.score, abs=1e-5)


def test_a_list_does_not_depend_on_who_else_asks_and_asking_changes_nothing() -> None:
    version = LEARNER.version
    many = (REQUESTS * (2 * BLOCK // len(REQUESTS) + 1))[: 2 * BLOCK + 3]
    together = LEARNER.rank(many)
    alone = {one.state.user: LEARNER.rank([one])[0] for one in REQUESTS}
    for request, entries in zip(many, together, strict=True):
        expected = alone[request.state.user]
        assert ids(entries) == ids(expected)
        assert [one.score for one in entries] == pytest.approx(
            [one.score for one in expected], abs=1e-4
        )
    assert LEARNER.version == version


def test_the_top_is_the_list_by_its_ids_and_says_whether_scores_are_numbers() -> None:
    ranking, parameters = LEARNER.ranking, LEARNER.parameters
    found = list(ranking.top(REQUESTS, parameters))
    assert [some for some, _ in found] == [ids(one) for one in LEARNER.rank(REQUESTS)]
    assert all(finite for _, finite in found)
    broken = RankingParameters(Gate(), None)
    broken.gate.state.weights[...] = np.nan
    assert not any(finite for _, finite in ranking.top(REQUESTS, broken))


def test_pinned_stand_first_boosted_rise_by_their_boost_and_banned_are_gone() -> None:
    plain, parameters = governed({})
    request = REQUESTS[0]
    before = {one.item_id: one for one in plain.rank([replace(request, k=ITEMS)], parameters)[0]}
    first, *_, low, last = before
    ranking, parameters = governed(
        {last: {"pinned": True}, low: {"boost": 100.0}, first: {"banned": True}}
    )
    entries = ranking.rank([replace(request, k=5)], parameters)[0]
    assert ids(entries)[:2] == [last, low]
    assert first not in ids(entries)
    assert entries[1].score == pytest.approx(before[low].score + 100.0, abs=0.5)
    assert {one.signal: one.weight for one in entries[1].reasons}["boost"] == 100.0


def test_histories_are_read_newest_first_for_counts_and_oldest_first_for_the_model() -> None:
    ranking = Ranking(SETTINGS, DIMENSION)
    ranking.announce(catalogue(4))
    events = [
        Interaction(f"e{n}", n, item, "click") for n, item in enumerate(["i0", "new", None, "i2"])
    ]
    found = ranking.events([events], create=False)
    assert past_of(found).history.tolist() == [2, 0]
    assert history_batch(found, [None], DIMENSION).rows[0, :3].tolist() == [0, 2, -1]
    assert past_of(ranking.events([events], create=True)).history.tolist() == [2, 4, 0]
    long = ranking.events(
        [[Interaction(f"e{n}", n, "i1", "click") for n in range(2 * LENGTH)]], create=False
    )
    batch = history_batch(long, [None], DIMENSION)
    assert batch.ts[0].tolist() == list(range(LENGTH, 2 * LENGTH))
    assert (past_of(long).history.tolist(), past_of(long).liked.tolist()) == ([1], [True])


def test_of_an_empty_catalogue_lists_are_empty() -> None:
    ranking = Ranking(SETTINGS, DIMENSION)
    state = UserState(user="new", intent=np.zeros(DIMENSION, np.float32))
    asked = RankRequest(state=state, k=10)
    assert ranking.rank([asked, asked], RankingParameters(Gate(), None)) == [(), ()]
    assert ranking.rank([], RankingParameters(Gate(), None)) == []
