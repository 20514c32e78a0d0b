from __future__ import annotations

import math

from stream.replay.recipes.worth import Worth

HOUR = 3_600_000


def test_gains_by_place_and_slice() -> None:
    worth = Worth()
    worth.add("a", ["a", "b"], ["all"], [HOUR, 3 * HOUR])
    worth.add("b", ["a", "b"], ["all", "again"], [4 * HOUR])
    worth.add("c", ["a", "b"], ["all", "again"], [])
    told = worth.figures(["all", "again", "new_user"])
    second = 1.0 / math.log2(3.0)
    assert told["ndcg10"] == {
        "all": round((1.0 + second) / 3, 4),
        "again": round(second / 2, 4),
        "new_user": 0.0,
    }
    assert told["hr10"] == {"all": 0.6667, "again": 0.5, "new_user": 0.0}
    assert (told["age_h"], told["listed"]) == (3.0, 2)
    assert worth.cells(["all"]) == ["0.6667", f"{(1.0 + second) / 3:.4f}", "3.0", "2"]


def test_nothing_asked_is_nothing_earned() -> None:
    assert Worth().figures(["all"]) == {
        "ndcg10": {"all": 0.0},
        "hr10": {"all": 0.0},
        "age_h": None,
        "listed": 0,
    }
