from __future__ import annotations

import pytest

from bench.speed.figures import Answer, Sent, due_times, latencies, medians, percentiles


def test_events_are_due_evenly_whatever_becomes_of_those_before() -> None:
    assert due_times(4, 200.0) == [0.0, 0.005, 0.01, 0.015]


def test_an_event_waits_for_the_first_list_of_its_user_that_knows_it() -> None:
    sent = [Sent("a", "ann", "reviews-0", 5, 100.0), Sent("b", "ann", "reviews-0", 6, 110.0)]
    answers = [
        Answer("ann", {"reviews-0": 9}, 300.0),
        Answer("ann", {"reviews-0": 5}, 120.0),
        Answer("bob", {"reviews-0": 9}, 105.0),
        Answer("ann", {"clicks-0": 9}, 105.0),
    ]
    assert latencies(sent, answers) == ([20.0, 190.0], 0)


def test_an_event_that_no_list_knows_is_counted_not_dropped() -> None:
    sent = [Sent("a", "ann", "reviews-0", 5, 100.0)]
    assert latencies(sent, [Answer("ann", {"reviews-0": 4}, 120.0)]) == ([], 1)


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentiles([]) == {}
    assert percentiles([float(n) for n in range(101)]) == {"p50": 50.0, "p99": 99.0}


def test_medians_say_how_far_the_runs_lie_apart() -> None:
    assert medians([{"a": 1.0}, {"a": 9.0}, {"a": 2.0}]) == pytest.approx(
        {"a": 2.0, "a_lowest": 1.0, "a_highest": 9.0}
    )
