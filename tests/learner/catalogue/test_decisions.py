"""What is decided for one request is what an operator's word would come to, for that one alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.catalogue.decisions import decided
from tests.learner.training.small import ITEMS, catalogue, learner_of, log, requests_of

EXAMPLES, STATES = log(300)
IDS = [f"i{number}" for number in range(ITEMS)]
REQUESTS = [replace(one, k=8, words=None) for one in requests_of(STATES)][:6]
LEARNER = learner_of(EXAMPLES)
boosts = st.dictionaries(st.sampled_from(IDS), st.sampled_from([-50.0, 50.0]), max_size=3)
pins = st.sets(st.sampled_from(IDS), max_size=3).map(lambda one: tuple(sorted(one)))


@settings(max_examples=25, deadline=None)
@given(pins, boosts, st.integers(0, len(REQUESTS) - 1))
def test_a_request_is_ranked_as_if_its_decisions_were_everybodys_and_no_other_is(
    pinned: tuple[str, ...], boosted: dict[str, float], which: int
) -> None:
    boosted = {item: one for item, one in boosted.items() if item not in pinned}
    asked = list(REQUESTS)
    asked[which] = replace(asked[which], pinned=pinned, boosted=boosted)
    found = LEARNER.rank(asked)
    with decided(LEARNER.ranking.catalogue, pinned, boosted):
        [wanted] = LEARNER.rank([REQUESTS[which]])
    plain = LEARNER.rank(REQUESTS)
    assert found[which] == wanted
    assert [one for place, one in enumerate(found) if place != which] == [
        one for place, one in enumerate(plain) if place != which
    ]


def test_pins_stand_first_boosts_rise_by_their_boost_and_what_is_demoted_sinks() -> None:
    request = replace(REQUESTS[0], k=ITEMS)
    [before] = LEARNER.rank([request])
    first, second, *_, low, last = [one.item_id for one in before]
    [after] = LEARNER.rank(
        [replace(request, pinned=(last,), boosted={low: 100.0, first: -100.0, "never": 9.0})]
    )
    assert [one.item_id for one in after][:3] == [last, low, second]
    assert after[-1].item_id == first
    assert {one.signal: one.weight for one in after[1].reasons}["boost"] == 100.0


def test_the_catalogue_is_as_it_was_afterwards_also_after_a_fault() -> None:
    learner = learner_of(EXAMPLES)
    held = learner.ranking.catalogue
    items = {one.item_id: one for one in catalogue()}
    learner.add_items([replace(items["i0"], pinned=True, boost=2.0)])
    before = held.pinned.copy(), held.boost.copy(), held.promoted.copy()

    def fail() -> None:
        with decided(held, ("i0", "i1"), {"i2": 5.0, "i3": -5.0}):
            assert held.pinned[held.rows(["i0", "i1"])].all()
            raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        fail()
    assert np.array_equal(before[0], held.pinned)
    assert np.array_equal(before[1], held.boost)
    assert np.array_equal(before[2], held.promoted)
