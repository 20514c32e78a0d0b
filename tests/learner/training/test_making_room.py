"""Ids that nobody announced: so many may wait, others make room, and replicas stay level."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from learner.catalogue import catalogue as catalogue_module
from learner.counts.counts import Counts
from learner.counts.popularity import COUNT
from learner.ranking.online import OnlineModel
from learner.ranking.parameters import settle
from learner.release.delta import decode, encode
from learner.release.guard import Guard
from learner.release.parts import in_parts
from learner.training.learner import Learner
from learner.training.promotion import Promotion
from tests.learner.training.small import (
    DIMENSION,
    SETTINGS,
    catalogue,
    learner_of,
    log,
    replica_of,
    requests_of,
)
from upwell.values import CatalogueItem, Example, Interaction

MOST = 64
ROUND = 50
EXAMPLES, STATES = log(400)
FUSED = replace(SETTINGS, fused=True, fused_every=32, fused_steps=1, rating_head=True)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_module, "MOST_UNANNOUNCED", MOST)


def click(number: int, item_id: str, *before: str) -> Example:
    past = tuple(
        Interaction(f"c{number}-{place}", number, one, "like", None, "clicks-0", place)
        for place, one in enumerate(before)
    )
    event = Interaction(f"c{number}", number, item_id, "like", None, "clicks-0", number)
    return Example(
        source="clicks-0",
        offset=number,
        user=f"attacker-{number % 7}",
        event=event,
        history=past,
        intent=None,
        user_events=len(past),
        tested=False,
        had=(),
    )


def flood(rounds: int, seed: int = 0) -> Iterator[list[Example]]:
    """Clicks on random ids, each after one on an earlier id and on an item, among honest events."""
    rng = np.random.default_rng(seed)
    number = 0
    for round_ in range(rounds):
        clicks = []
        for _ in range(ROUND):
            before = f"x{number - 1}" if number else "x"
            clicks.append(click(number, f"x{number}", before, f"i{rng.integers(120)}"))
            number += 1
        honest = EXAMPLES[round_ * 20 : round_ * 20 + 20]
        yield [*clicks[: ROUND // 2], *honest, *clicks[ROUND // 2 :]]


def counted(model: OnlineModel) -> dict[str, dict[str, object]]:
    """Everything counted of each item, its neighbours by id; sums to nine digits, since what text
    neighbours earned is added in another order after a restart.
    """
    ids = model.ranking.catalogue.ids
    state = model.ranking.state()
    tables = [getattr(state, name) for name in ("pairs", "pairs_any", "last", "near", "far")]
    return {
        item_id: {
            "popularity": [float(f"{value:.9g}") for value in state.popularity.values[:, row]],
            "people": (state.people[row], state.liked[row]),
            "neighbours": [
                [
                    (ids[other], float(value))
                    for other, value in zip(
                        table.ids[row, : table.sizes[row]],
                        table.values[row, : table.sizes[row]],
                        strict=True,
                    )
                ]
                for table in tables
            ],
        }
        for row, item_id in enumerate(ids)
        if item_id
    }


def leaders(model: OnlineModel) -> list[list[str]]:
    state, ids = model.ranking.state().popularity, model.ranking.catalogue.ids
    return [
        [ids[row] for row in state.leaders[column, : state.held[column]]]
        for column in range(len(state.scale))
    ]


@pytest.mark.parametrize("settings", [SETTINGS, FUSED])
def test_random_ids_take_bounded_room_and_a_replica_stays_level(settings: object) -> None:
    learner = Learner(settings, DIMENSION, 7)  # type: ignore[arg-type]
    learner.add_items(catalogue())
    replica = replica_of(settings=settings)  # type: ignore[arg-type]
    for examples in flood(12):
        learner.learn(examples)
        delta = learner.take_delta()
        for _ in range(2):  # one that comes twice changes nothing
            for part in in_parts(delta, 4_000):
                settle(replica.apply(decode(encode(part))))
        for one in (learner, replica):
            assert len(one.ranking.catalogue) <= len(catalogue()) + MOST + ROUND + 1
        assert learner.unannounced <= MOST
        assert counted(replica) == counted(learner)
        assert leaders(replica) == leaders(learner)
        assert replica.version == learner.version
        assert replica.rank(requests_of(STATES)) == learner.rank(requests_of(STATES))
    assert learner.made_room >= 12 * ROUND - MOST


def test_the_ids_whose_last_event_is_the_oldest_make_room() -> None:
    learner = learner_of([])
    for number in range(3 * MOST):
        learner.learn([click(number, "kept" if number % 8 == 0 else f"x{number}")])
        learner.take_delta()
    assert counted(learner)["kept"]["popularity"][COUNT] == 3 * MOST / 8  # type: ignore[index]
    assert f"x{3 * MOST - 1}" in counted(learner)
    assert "x1" not in counted(learner)


def test_an_item_announced_after_it_was_clicked_counts_as_before_among_random_ids() -> None:
    late, early = learner_of([]), learner_of([])
    item = CatalogueItem(
        item_id="late", ts=1, title="late", vector=catalogue()[3].vector, revision="r"
    )
    early.add_items([item])
    for learner in (late, early):
        for number in range(3 * MOST):
            learner.learn([click(number, "late" if number % 8 == 0 else f"x{number}", "i5")])
            learner.take_delta()
    late.add_items([item])
    mine, theirs = counted(late)["late"], counted(early)["late"]
    assert mine["neighbours"] == theirs["neighbours"]
    assert mine["people"] == theirs["people"]
    assert mine["popularity"] == pytest.approx(theirs["popularity"])
    requests = requests_of(STATES)
    for one, other in zip(late.rank(requests), early.rank(requests), strict=True):
        assert [entry.item_id for entry in one] == [entry.item_id for entry in other]


def test_an_announced_item_never_makes_room() -> None:
    learner = learner_of(EXAMPLES[:100])
    before = counted(learner)
    for examples in flood(4):
        learner.learn([one for one in examples if one.source == "clicks-0"])
        learner.take_delta()
    after = counted(learner)
    for item in catalogue():
        assert after[item.item_id]["people"] >= before[item.item_id]["people"]  # type: ignore[operator]
        assert learner.may_list(item.item_id)


def test_a_learner_restored_amid_random_ids_goes_on_like_the_one_that_did_not_stop() -> None:
    learner, other = learner_of([]), Learner(SETTINGS, DIMENSION, 7)
    rounds = list(flood(8))
    for examples in rounds[:5]:
        learner.learn(examples)
        learner.take_delta()
    other.restore(learner.arrays(), json.loads(json.dumps(learner.meta())))
    other.add_items(catalogue())
    for examples in rounds[5:]:
        for one in (learner, other):
            one.learn(examples)
            one.take_delta()
    assert counted(other) == counted(learner)
    assert other.version == learner.version
    assert other.rank(requests_of(STATES)) == learner.rank(requests_of(STATES))


def test_what_was_promoted_names_no_item_that_made_room() -> None:
    learner = Learner(FUSED, DIMENSION, 7)
    learner.add_items(catalogue())
    promotion, replica = Promotion(learner, Guard(), 0.5), replica_of(settings=FUSED)
    for examples in flood(12):
        for start in range(0, len(examples), 16):
            promotion.test(examples[start : start + 16])
            learner.learn(examples[start : start + 16])
            promotion.decide()
        for delta in promotion.take_deltas():
            assert all("" not in items for items in delta.row_items.values())
            settle(replica.apply(decode(encode(delta))))
    assert learner.made_room > 0
    assert replica.version == promotion.version


def test_counts_without_some_items_are_those_of_a_stream_without_their_events() -> None:
    """Leaders too: others move up."""
    learner = learner_of(EXAMPLES)
    ranking, rows = learner.ranking, len(learner.ranking.catalogue)
    gone = np.zeros(ranking.catalogue.capacity, np.bool_)
    gone[[0, 1, 5]] = True
    counts: Counts = ranking.counts
    counts.forget(gone, rows)
    state = ranking.state()
    for row in range(rows):
        held = set(state.pairs_any.ids[row, : state.pairs_any.sizes[row]].tolist())
        assert not held & {0, 1, 5}
    values = state.popularity.values
    for column in range(9):
        leading = state.popularity.leaders[column, : state.popularity.held[column]]
        assert not set(leading.tolist()) & {0, 1, 5}
        assert set(leading.tolist()) == set(np.flatnonzero(values[column, :rows]).tolist())
        assert list(values[column, leading]) == sorted(values[column, leading], reverse=True)
        assert list(state.popularity.places[column, leading]) == list(range(1, len(leading) + 1))
