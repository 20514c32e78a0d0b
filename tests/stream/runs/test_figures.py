"""JSON values in, their numbers out."""

from __future__ import annotations

import math

from stream.runs.figures import numbers


def test_each_number_is_named_by_its_way() -> None:
    value = {
        "log": "events.jsonl",
        "seed": 7,
        "ndcg10": {"model": {"all": 0.25, "cold item": 0.5}},
        "lengths": [{"ms": 1.5}, {"ms": 2.5}],
        5: (1, 2),
    }
    assert dict(numbers(value)) == {
        "seed": 7.0,
        "ndcg10/model/all": 0.25,
        "ndcg10/model/cold item": 0.5,
        "lengths/0/ms": 1.5,
        "lengths/1/ms": 2.5,
        "5/0": 1.0,
        "5/1": 2.0,
    }


def test_what_is_no_number_or_not_finite_is_left_out() -> None:
    assert dict(numbers({"a": True, "b": None, "c": math.nan, "d": -math.inf, "e": "1"})) == {}
