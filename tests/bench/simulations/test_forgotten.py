"""How far counts are apart is measured as it says, and a learner that forgot a user still has what
it counted of them: docs/privacy.md says so.
"""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from bench.simulations.forgotten import (
    COLUMNS,
    TABLES,
    Counted,
    counted,
    in_common,
    learned,
    lists_of,
    off,
    sent,
)
from stream.replay.log import LogRecord
from upwell.events import Topic

ITEMS = 8


def item(number: int) -> LogRecord:
    value = {
        "event_id": f"i{number}",
        "ts": 1_600_000_000_000,
        "item_id": f"i{number}",
        "title": f"Title {number}",
    }
    return LogRecord(0, Topic.ITEMS, b"i%d" % number, orjson.dumps(value))


def click(user: str, number: int) -> LogRecord:
    value = {
        "event_id": f"{user}-{number}",
        "ts": 1_700_000_000_000 + number,
        "user_id": user,
        "item_id": f"i{number % ITEMS}",
        "action": "click",
    }
    return LogRecord(0, Topic.CLICKS, user.encode(), orjson.dumps(value))


CATALOGUE = [item(number) for number in range(ITEMS)]
EVENTS = [click(user, number) for number in range(6) for user in ("ann", "bob", "cid")]


def without(user: str) -> list[LogRecord]:
    return [one for one in EVENTS if one.key != user.encode()]


def test_a_learner_is_not_apart_from_itself_and_is_from_one_that_never_saw_a_user() -> None:
    whole = learned(CATALOGUE, EVENTS, 1)
    again = learned(CATALOGUE, EVENTS, 1)
    assert set(off(counted(whole), counted(again)).values()) == {0.0}
    assert in_common(lists_of(whole, ["dan"]), lists_of(again, ["dan"])) == 1.0
    before = counted(whole)
    forget = {"event_id": "f", "kind": "forget_user", "by": "b", "why": "w"}
    assert sent(whole, Topic.CONTROLS, "ann", forget).erasures
    for name, array in counted(whole).items():
        np.testing.assert_array_equal(array, before[name])
    apart = off(counted(whole), counted(learned(CATALOGUE, without("ann"), 1)))
    assert apart["people"] == pytest.approx(0.5)  # three users for two
    assert apart["popularity_count"] == pytest.approx(0.5)
    assert apart["pairs"] > 0.1


def test_a_share_is_of_what_should_be_there_whatever_stands_where() -> None:
    wanted, found = table({(0, 1): 2.0, (1, 0): 2.0}), table({(0, 1): 3.0, (1, 2): 1.0})
    assert off(found, wanted)["pairs"] == pytest.approx((1.0 + 2.0 + 1.0) / 4.0)
    assert off(wanted, wanted)["pairs"] == 0.0
    assert off(found, table({}))["pairs"] == 0.0
    assert in_common([["a", "b"], []], [["b", "c"], ["x"]]) == 0.5


def table(entries: dict[tuple[int, int], float]) -> Counted:
    """Counts whose pairs are these, as of a scale of 2, and nothing else."""
    rows = sorted(entries)
    pairs = {
        "pairs.ids": np.array([column for _, column in rows], np.int32),
        "pairs.values": np.array([2.0 * entries[one] for one in rows], np.float32),
        "pairs.sizes": np.bincount(np.array([row for row, _ in rows], int), minlength=3).astype(
            np.int32
        ),
        "pairs.scale": np.array([2.0]),
    }
    empty = {
        f"{name}.{part}": np.ones(1) if part == "scale" else np.zeros(3 * (part == "sizes"), int)
        for name in TABLES
        for part in ("ids", "values", "sizes", "scale")
    }
    more = {
        "popularity.values": np.zeros((len(COLUMNS), 3)),
        "popularity.scale": np.ones(len(COLUMNS)),
        "liked": np.zeros(3),
        "people": np.zeros(3),
    }
    return {**empty, **more, **pairs}
