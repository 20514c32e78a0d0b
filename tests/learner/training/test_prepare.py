"""Examples as the kernels take them: users as before the event, and tested is only what may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learner.counts.block import MET, MET_LIKED, NEW, NEWCOMER_EVENTS
from learner.counts.events import KINDS
from learner.ranking.ranking import Ranking
from learner.training.prepare import Prepared, example_batch, prepared
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, log
from upwell.values import Example

EXAMPLES = log(200)[0]


def ranking(announced: int = 120) -> Ranking:
    made = Ranking(SETTINGS, DIMENSION)
    made.announce(catalogue(announced))
    return made


def prepare(examples: list[Example], into: Ranking) -> Prepared:
    return prepared(examples, into, None, np.linspace(0.1, 1.0, len(examples), dtype=np.float32))


def test_targets_are_the_events_and_what_the_user_had_to_do_with_their_items() -> None:
    into = ranking()
    found = prepare(EXAMPLES, into).targets
    ids = into.catalogue.ids
    assert [ids[row] for row in found.rows] == [one.event.item_id for one in EXAMPLES]
    assert found.liked.tolist() == [one.event.liked for one in EXAMPLES]
    assert found.newcomer.tolist() == [one.user_events <= NEWCOMER_EVENTS for one in EXAMPLES]
    np.testing.assert_allclose(found.weight, np.linspace(0.1, 1.0, len(EXAMPLES)))
    for example, met in zip(EXAMPLES, found.met, strict=True):
        before = [one for one in example.history if one.item_id == example.event.item_id]
        expected = NEW if not before else MET_LIKED if before[-1].liked else MET
        assert met == expected  # ratings are opinions: the newest holds


def test_histories_are_those_before_the_event_in_both_orders() -> None:
    into = ranking()
    found = prepare(EXAMPLES, into)
    row = into.catalogue.row
    for number, example in enumerate(EXAMPLES):
        rows = [row(str(one.item_id)) for one in example.history]
        read = found.users.rows[number, : found.users.lengths[number]]
        assert read.tolist() == rows
        start, end = found.block.starts[number : number + 2]
        assert found.block.history[start:end].tolist() == list(dict.fromkeys(rows[::-1]))
    assert found.block.events.tolist() == [one.user_events for one in EXAMPLES]


def test_tested_are_drawn_likes_of_what_may_be_listed_and_the_user_did_not_have() -> None:
    into = ranking(60)  # the others were never announced
    into.announce([replace(catalogue()[1], banned=True)])
    drawn = [replace(one, tested=number % 3 > 0) for number, one in enumerate(EXAMPLES)]
    found = prepare(drawn, into)
    listed = {f"i{number}" for number in range(60)} - {"i1"}
    expected = [
        one.tested
        and one.event.liked
        and one.event.item_id in listed
        and one.event.item_id not in one.had
        for one in drawn
    ]
    assert found.targets.tested.tolist() == expected
    assert 0 < sum(expected) < len(drawn)
    slots = found.block.slot
    assert slots[found.targets.tested].tolist() == list(range(sum(expected)))
    assert set(slots[~found.targets.tested].tolist()) == {-1}


def test_scores_of_the_whole_catalogue_are_those_of_who_is_tested() -> None:
    into = ranking()
    drawn = [replace(one, tested=number % 3 > 0) for number, one in enumerate(EXAMPLES)]
    found = prepare(drawn, into)
    vectors = into.catalogue.graph.vectors[: len(into.catalogue)]
    wished = 0
    for example, slot in zip(drawn, found.block.slot, strict=True):
        intent = np.zeros(DIMENSION, np.float32) if example.intent is None else example.intent
        if slot >= 0 and intent.any():
            wished += 1
            assert found.block.dense_on[slot, 0]
            scores = found.block.dense.scores[0, slot, : len(vectors)]
            np.testing.assert_allclose(scores, vectors @ intent, rtol=1e-4, atol=1e-5)
    assert wished > 5


def test_left_out_and_shown_beside_is_only_of_what_is_tested_and_has_a_row() -> None:
    into = ranking()
    shown = (("i3", 2.0), ("nobody knows", 1.0), ("i5", 0.0))
    found = prepare([replace(one, beside=shown) for one in EXAMPLES], into)
    rows = [into.catalogue.row(item) for item in ("i3", "i5")]
    for number, (example, tested) in enumerate(zip(EXAMPLES, found.targets.tested, strict=True)):
        beside = slice(*found.block.beside_starts[number : number + 2])
        blocked = slice(*found.block.blocked_starts[number : number + 2])
        had = set(into.catalogue.rows(example.had))
        assert found.block.beside[beside].tolist() == (rows if tested else [])
        assert set(found.block.blocked[blocked].tolist()) == (had if tested else set())


def test_an_item_that_nobody_announced_gets_a_row_and_room() -> None:
    into = ranking(0)
    found = prepare(EXAMPLES, into)
    named = {str(one.event.item_id) for one in EXAMPLES}
    assert set(into.catalogue.ids) == named
    assert len(into.state().people) >= len(named)
    assert not found.targets.tested.any()


@pytest.mark.parametrize("rated", [True, False])
def test_the_trainer_gets_the_same_events(rated: bool) -> None:
    into = ranking()
    some = [
        replace(one, event=replace(one.event, rating=one.event.rating if rated else None))
        for one in EXAMPLES[:50]
    ]
    found = prepare(some, into)
    batch = example_batch(some, found.targets.rows, found.users)
    assert (batch.users, batch.before.tolist()) == (
        [one.user for one in some],
        [one.user_events for one in some],
    )
    assert batch.rows.tolist() == found.targets.rows.tolist()
    assert [KINDS[code] for code in batch.kinds] == [one.event.kind for one in some]
    assert batch.ts.tolist() == [one.event.ts for one in some]
    stars = [one.event.rating if rated else np.nan for one in some]
    np.testing.assert_array_equal(batch.ratings, np.array(stars, np.float32))
    nothing = np.zeros(DIMENSION, np.float32)
    intents = [nothing if one.intent is None else one.intent for one in some]
    np.testing.assert_array_equal(batch.histories.intents, intents)
