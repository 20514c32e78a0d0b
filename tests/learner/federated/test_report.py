"""A report of whoever reaches the port: read, or refused with its reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.federated.options import Options
from learner.federated.report import Report, report_of
from tests.learner.federated.small import join, rounds_of, site_of, split, take, teach

Arrays = dict[str, NDArray[Any]]


def honest() -> tuple[dict[str, Any], Arrays, Any, int]:
    rounds, site = rounds_of(Options(clients=1, rounds=1)), site_of()
    join(rounds, "c0")
    rounds.step(0.0)
    take(rounds, "c0", site)
    teach(site, split(60, 1)[0])
    told = site.report()
    return told.head(), told.arrays(), rounds.model.weights, len(rounds.model.layout)


HEAD, ARRAYS, LIKE, SIZE = honest()


def with_head(**changed: Any) -> Report | str:
    return report_of(HEAD | changed, ARRAYS, LIKE, SIZE)


def with_arrays(change: Callable[[Arrays], object]) -> Report | str:
    arrays = {name: one.copy() for name, one in ARRAYS.items()}
    change(arrays)
    return report_of(HEAD, arrays, LIKE, SIZE)


def test_an_honest_one_is_read() -> None:
    found = with_head()
    assert isinstance(found, Report)
    assert (found.head(), found.norm > 0.0) == (HEAD, True)
    assert found.arrays().keys() == ARRAYS.keys()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda of: of["weights.gate.bias"].__setitem__(0, np.nan), "not finite"),
        (lambda of: of["weights.gate.bias"].__setitem__(0, np.inf), "not finite"),
        (lambda of: of["weights.gate.bias"].__setitem__(0, 1e9), "more than 1,000"),
        (lambda of: of.pop("weights.gate.bias"), "weights differ in gate.bias"),
        (lambda of: of.update({"weights.x": np.zeros(1, np.float32)}), "weights differ in x"),
        (
            lambda of: of.update({"weights.gate.bias": np.zeros(SIZE + 1, np.float32)}),
            r"not float32\(120,\)",
        ),
        (lambda of: of.update({"weights.gate.bias": np.zeros(SIZE)}), "is float64"),
        (lambda of: of.pop("counts.sums"), "counts.sums is missing"),
        (lambda of: of["counts.sums"].__setitem__((0, 0), -1.0), "below zero"),
        (lambda of: of["counts.sums"].__setitem__((0, 0), np.nan), "not finite"),
        (lambda of: of["counts.sums"].__setitem__((8, 0), 1e6), "events on items"),
        (lambda of: of["counts.sums"].__setitem__((0, 0), 1e6), "larger than the events"),
        (lambda of: of.pop("table.pairs.keys"), "table.pairs.keys is missing"),
        (lambda of: of["table.pairs.keys"].__setitem__(0, 2**62), "not ascending"),
        (lambda of: of["table.pairs.keys"].__setitem__(0, -5), "the layout has not"),
        (lambda of: of["table.pairs.keys"].__setitem__(-1, 2**62), "the layout has not"),
        (lambda of: of["table.pairs.values"].__setitem__(0, np.inf), "not finite"),
        (lambda of: of["table.pairs.values"].__setitem__(0, 1e6), "larger than the events"),
        (
            lambda of: of.update({"table.pairs.values": of["table.pairs.values"][1:]}),
            "as many int64 keys",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    change: Callable[[Arrays], object], why: str
) -> None:
    found = with_arrays(change)
    assert isinstance(found, str)
    assert __import__("re").search(why, found), found


@pytest.mark.parametrize("number", [-1, 1.5, "1", None, True])
def test_numbers_are_whole(number: object) -> None:
    assert "whole numbers" in str(with_head(events=number))


def test_newcomers_are_some_of_the_events() -> None:
    assert "more events of newcomers" in str(with_head(newcomers=10**6))
