"""The confidence from which on answers go out alone, against all others that might be taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from learner.desk.threshold import ABSTAIN, Threshold

OUTCOMES = st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()))


def filled(target: float, outcomes: list[tuple[float, bool]]) -> Threshold:
    threshold = Threshold(target)
    for one in outcomes:
        threshold.add(*one)
    return threshold


@given(OUTCOMES, st.sampled_from([0.5, 0.9, 0.95]))
def test_it_is_reached_by_those_that_are_as_sure_or_surer(
    outcomes: list[tuple[float, bool]], target: float
) -> None:
    """With one wrong one more; and none lower would do, where all of one confidence are taken."""
    least = filled(target, outcomes).least

    def holds(from_on: float) -> bool:
        right = [was for confidence, was in outcomes if confidence >= from_on]
        return bool(right) and sum(right) >= target * (len(right) + 1)

    fits = [one for one, _ in outcomes if holds(one)]
    assert least == ABSTAIN or holds(least)
    assert least <= min(fits, default=ABSTAIN)


def test_nothing_goes_out_before_enough_is_known() -> None:
    assert Threshold(0.95).least == ABSTAIN
    assert filled(0.95, [(0.9, True)] * 18).least == ABSTAIN
    assert filled(0.95, [(0.9, True)] * 19).least == 0.9


def test_the_newest_outcomes_count() -> None:
    threshold = filled(0.9, [(0.8, True)] * 100)
    assert threshold.least == 0.8
    for _ in range(2_000):
        threshold.add(0.8, False)
    assert threshold.least == ABSTAIN


KINDS = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans(), st.booleans())
)


@given(KINDS, st.sampled_from([0.5, 0.9]))
def test_each_kind_of_questions_has_a_threshold_of_its_own(
    outcomes: list[tuple[float, bool, bool]], target: float
) -> None:
    both = Threshold(target)
    for confidence, right, read in outcomes:
        both.add(confidence, right, read)
    for kind in (True, False):
        own = filled(target, [(sure, right) for sure, right, read in outcomes if read == kind])
        assert both.least_of(kind) == own.least
    assert both.least == both.least_of(True)
