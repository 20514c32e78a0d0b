"""Secure sums: masks cancel among all members, and hide each of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.federated.masked import length, masked, opened, packed, summed_up
from learner.federated.options import Options
from tests.learner.federated.small import SESSION, join, rounds_of, site_of, split, take, teach

SECRET, NAMES = b"s" * 32, ["a", "b", "é"]
NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3)


@given(st.lists(NUMBERS, min_size=3, max_size=3))
def test_the_sum_of_all_is_the_sum(numbers: list[list[float]]) -> None:
    told = [
        masked(np.array(own), name, NAMES, SECRET, "1 0")
        for name, own in zip(NAMES, numbers, strict=True)
    ]
    np.testing.assert_allclose(opened(told), np.sum(numbers, axis=0), atol=1e-4)


@given(NUMBERS)
def test_of_some_nothing_is_known(numbers: list[float]) -> None:
    one, other = (masked(np.array(numbers), "a", NAMES, SECRET, about) for about in ("1 0", "1 1"))
    assert (one != other).all()  # no mask is used twice
    two = [one, masked(np.array(numbers), "b", NAMES, SECRET, "1 0")]
    assert (np.abs(opened(two) - 2 * np.array(numbers)) > 1.0).all()
    assert (masked(np.array(numbers), "a", NAMES, b"t" * 32, "1 0") != one).all()


@pytest.mark.parametrize("members", [["a", "b"], ["a"], ["b", "c", "d"], ["a", "a", "b"]])
def test_no_sum_of_too_few_or_of_others(members: list[str]) -> None:
    with pytest.raises(ValueError, match="too much"):
        masked(np.zeros(3), "a", members, SECRET, "1 0")


def test_what_is_packed_comes_out_as_a_mean_by_events() -> None:
    rounds, site = rounds_of(Options(clients=1, rounds=1)), site_of()
    join(rounds, "c0")
    rounds.step(0.0)
    take(rounds, "c0", site)
    teach(site, split(80, 1)[0])
    report, like = site.report(), rounds.model.weights
    size = len(rounds.model.layout)
    numbers = packed(report)
    assert len(numbers) == length(like, size)
    moved, counted, passed, ready = summed_up(3 * numbers, like, size)
    assert (passed.events, ready) == (240, False)
    np.testing.assert_allclose(counted.sums, 3 * report.counted.sums)
    np.testing.assert_allclose(moved["gate.weights"], report.weights["gate.weights"], rtol=1e-5)
    met = report.counted.events > 0
    np.testing.assert_allclose(moved["gate.bias"][met], report.weights["gate.bias"][met], rtol=1e-5)


def test_where_a_member_is_missing_the_others_mask_anew_and_the_late_one_is_refused() -> None:
    options = Options(clients=4, rounds=1, secure=True, deadline_s=5.0)
    rounds, sites = rounds_of(options), {f"c{one}": site_of() for one in range(4)}
    for name in sites:
        join(rounds, name)
    rounds.step(0.0)

    def tell(name: str) -> str | None:
        task = rounds.task(name, SESSION)
        about = f"{task['round']} {task['attempt']}"
        numbers = packed(sites[name].report())
        told = masked(numbers, name, task["members"], SECRET, about)
        head = {"round": task["round"], "attempt": task["attempt"]}
        return rounds.report(name, SESSION, head, {"masked": told})

    for number, (name, site) in enumerate(sites.items()):
        take(rounds, name, site)
        teach(site, split(80, 4)[number])
    late = rounds.task("c3", SESSION)
    assert [tell(name) for name in ("c0", "c1", "c2")] == [None] * 3
    assert rounds.step(4.0) is False
    assert rounds.step(5.0) is False
    assert rounds.task("c0", SESSION)["members"] == ["c0", "c1", "c2"]
    assert [tell(name) for name in ("c0", "c1", "c2")] == [None] * 3
    head = {"round": 0, "attempt": late["attempt"]}
    assert "mask anew" in str(rounds.report("c3", SESSION, head, {"masked": np.zeros(1)}))
    assert rounds.step(6.0)
    events = [sites[name].report().counted.sums[8] for name in ("c0", "c1", "c2")]
    np.testing.assert_allclose(rounds.model.counted.sums[8], np.sum(events, axis=0), atol=1e-3)
    assert rounds.joined["c3"].taken == []


def test_a_masked_report_of_another_length_is_refused() -> None:
    rounds = rounds_of(Options(clients=3, rounds=1, secure=True))
    for name in ("a", "b", "c"):
        join(rounds, name)
    rounds.step(0.0)
    head = {"round": 0, "attempt": 0}
    for wrong in (np.zeros(4, np.uint64), np.zeros(4), None):
        arrays = {} if wrong is None else {"masked": wrong}
        assert "another length" in str(rounds.report("a", SESSION, head, arrays))


def test_what_is_masked_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="take either"):
        Options(clients=8, rounds=1, aggregate="krum", secure=True)
