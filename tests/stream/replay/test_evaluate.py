"""What a log's impressions earned, and what another policy would have: lines in, figures out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from stream.replay.evaluate import Evaluation, evaluate_log
from stream.replay.log import BadLine, LogRecord
from stream.replay.policies import Popularity
from stream.replay.report import evaluation_table
from tests.stream.ops.test_cli import upwell
from upwell.events import Event, Impression, Topic

T0 = 1_700_000_000_000
HOUR = 3_600_000


class Log:
    """Lines in time order, a second apart unless said otherwise."""

    def __init__(self) -> None:
        self.lines: list[LogRecord | BadLine] = []

    def add(self, topic: Topic, user: str, ts: int | None = None, **fields: Any) -> None:
        number = len(self.lines)
        value = {
            "event_id": f"e{number}",
            "ts": T0 + 1_000 * number if ts is None else ts,
            "user_id": user,
            **fields,
        }
        self.lines.append(LogRecord(number + 1, topic, user.encode(), json.dumps(value).encode()))

    def show(
        self,
        user: str,
        items: tuple[str, ...],
        propensities: tuple[float, ...] | None,
        **fields: Any,
    ) -> None:
        more = {} if propensities is None else {"propensities": list(propensities)}
        self.add(
            Topic.IMPRESSIONS,
            user,
            **{"list_id": f"l{len(self.lines)}", "item_ids": list(items), **more, **fields},
        )

    def click(self, user: str, item: str, action: str = "click", **fields: Any) -> None:
        self.add(Topic.CLICKS, user, **{"item_id": item, "action": action, **fields})


class Always:
    """Shows the same items to everybody; notes how many lines it had seen when it was asked."""

    def __init__(self, *items: str) -> None:
        self.items, self.seen, self.asked = items, 0, list[int]()

    def see(self, line: LogRecord, event: Event) -> None:
        self.seen += 1

    def items_for(self, impression: Impression) -> tuple[str, ...]:
        self.asked.append(self.seen)
        return self.items


def rewards(log: Log) -> int:
    return evaluate_log(log.lines, Always("a"), HOUR).counts["rewards"]


def random_lists(users: int, lists: int) -> Log:
    """Two of four items at random, each place with propensity 1/4 (drawn with replacement); `a`
    earns most.
    """
    log, rng = Log(), np.random.default_rng(1)
    names, chance = ("a", "b", "c", "d"), (0.8, 0.3, 0.1, 0.1)
    for _ in range(lists):
        for user in range(users):
            drawn = rng.choice(4, 1)
            log.show(f"u{user}", tuple(names[one] for one in drawn), (0.25,))
            for one in drawn:
                if rng.random() < chance[one]:
                    log.click(f"u{user}", names[one])
    return log


@pytest.mark.parametrize(
    ("topic", "fields", "earned"),
    [
        (Topic.CLICKS, {"action": "click"}, 1),
        (Topic.CLICKS, {"action": "like"}, 1),
        (Topic.CLICKS, {"action": "purchase"}, 1),
        (Topic.CLICKS, {"action": "view"}, 0),
        (Topic.CLICKS, {"action": "dislike"}, 0),
        (Topic.REVIEWS, {"rating": 4.0}, 1),
        (Topic.REVIEWS, {"rating": 3.5}, 0),
        (Topic.REVIEWS, {"text": "words alone"}, 0),
        (Topic.CLICKS, {"action": "click", "item_id": "c"}, 0),
        (Topic.CLICKS, {"action": "click", "list_id": "own"}, 1),
        (Topic.CLICKS, {"action": "click", "list_id": "other"}, 0),
        (Topic.CLICKS, {"action": "click", "ts": T0 + HOUR}, 1),
        (Topic.CLICKS, {"action": "click", "ts": T0 + HOUR + 1}, 0),
        (Topic.CLICKS, {"action": "click", "ts": T0 - 1}, 0),
        (Topic.CLICKS, {"action": "click", "user_id": "bob"}, 0),
    ],
)
def test_what_earns(topic: Topic, fields: dict[str, Any], earned: int) -> None:
    log = Log()
    log.show("ann", ("a", "b"), (1.0, 0.5), list_id="own")
    log.add(topic, "ann", **{"item_id": "b", **fields})
    assert rewards(log) == earned


def test_an_item_earns_once_and_for_its_newest_impression() -> None:
    log = Log()
    for _ in range(2):
        log.show("ann", ("a", "b"), (1.0, 1.0))
    log.show("ann", ("c", "b"), (1.0, 1.0))
    for _ in range(2):
        log.click("ann", "a")
    assert rewards(log) == 1
    log.click("ann", "b")
    assert rewards(log) == 2
    log.click("ann", "a", list_id="l0")
    assert rewards(log) == 3


def test_a_policy_is_asked_before_it_sees_the_impression_and_all_that_follows() -> None:
    log, policy = Log(), Always("a")
    log.click("ann", "a")
    log.show("ann", ("a",), (1.0,))
    log.click("ann", "b")
    log.show("ann", ("a",), (1.0,))
    evaluate_log(log.lines, policy, HOUR)
    assert policy.asked == [1, 3]


def test_what_cannot_be_used_is_counted() -> None:
    log = Log()
    log.show("ann", ("a",), None)
    log.show("ann", ("a",), (1.0,), event_id="same")
    log.show("ann", ("a",), (1.0,), event_id="same")
    log.click("ann", "a", action="clik")
    log.lines.append(BadLine(5, "bad_json", "broken", b"{"))
    found = evaluate_log(log.lines, Always("a"), HOUR)
    expected = {
        "without_propensities": 1,
        "retries": 1,
        "dead_letters": 1,
        "bad_lines": 1,
        "impressions": 1,
        "users": 1,
        "rewards": 0,
    }
    assert found.counts == expected
    assert found.valued.places == 1


def test_what_another_policy_earns_on_lists_drawn_at_random() -> None:
    log = random_lists(60, 40)
    best, worst = (evaluate_log(log.lines, Always(item), HOUR).valued for item in "ad")
    for valued, true in ((best, 0.8), (worst, 0.1)):
        assert valued.abstains is None
        for estimate in (valued.snips, valued.dr):
            assert estimate is not None
            assert estimate.low < true < estimate.high
            assert estimate.high - estimate.low < 0.15
    by_popularity = evaluate_log(log.lines, PopularityWithHad(), HOUR).valued
    assert by_popularity.snips is not None
    assert by_popularity.snips.value == pytest.approx(0.8, abs=0.1)


class PopularityWithHad(Popularity):
    """Popularity among all items, had or not: in `random_lists` all users soon had them all."""

    def items_for(self, impression: Impression) -> tuple[str, ...]:
        self._had.clear()
        return super().items_for(impression)


def test_a_policy_that_the_log_could_not_have_shown_is_not_valued() -> None:
    found = evaluate_log(random_lists(40, 4).lines, Always("elsewhere"), HOUR)
    assert (
        found.valued.abstains
        == "the log could have shown 0.0% of what this policy would have shown"
    )
    assert found.valued.dr is None


def test_places_drawn_by_lot_are_told_from_the_same_places_where_no_lot_fell() -> None:
    log = Log()
    for number in range(40):
        log.show(
            f"u{number}", ("a", "b" if number % 4 else "new"), (1.0, 0.95 if number % 4 else 0.005)
        )
        log.click(f"u{number}", "a")
        if number % 4 == 0:
            log.click(f"u{number}", "new")
    found = evaluate_log(log.lines, Always("a", "b"), HOUR)
    assert found.by_lot is not None
    assert found.otherwise is not None
    assert (found.by_lot.value, found.otherwise.value) == (1.0, 0.0)


def test_popularity_shows_what_was_met_most_and_not_what_the_user_met_or_what_was_deleted() -> None:
    policy, log = Popularity(), Log()
    for user, item in (
        ("u", "a"),
        ("v", "a"),
        ("w", "a"),
        ("u", "b"),
        ("v", "b"),
        ("w", "c"),
        ("x", "d"),
    ):
        log.click(user, item)
    log.lines.append(
        LogRecord(
            9, Topic.ITEMS, b"b", b'{"item_id":"b","ts":1700000000000,"title":"B","deleted":true}'
        )
    )
    log.show("w", ("x", "y"), (1.0, 1.0))
    log.show("new", ("x", "y"), (1.0, 1.0))
    asked: list[tuple[str, ...]] = []
    found = policy.items_for
    policy.items_for = lambda impression: asked.append(found(impression)) or ()  # type: ignore[func-returns-value, method-assign]
    evaluate_log(log.lines, policy, HOUR)
    assert asked == [("d",), ("a", "c")]


def shown(evaluation: Evaluation) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(evaluation_table(evaluation, "popularity"))
    return console.export_text()


def test_the_table_has_the_estimates_or_says_why_there_are_none() -> None:
    log = random_lists(60, 20)
    text = shown(evaluate_log(log.lines, Always("a"), HOUR))
    assert "doubly robust" in text
    assert "abstains" not in text
    text = shown(evaluate_log(log.lines, Always("elsewhere"), HOUR))
    assert "abstains: the log could have shown 0.0% of what this policy would have shown" in text
    assert "SNIPS" not in text


def test_the_command_prints_one_object(tmp_path: Path) -> None:
    lines = [line for line in random_lists(10, 4).lines if isinstance(line, LogRecord)]
    rows = [
        {"topic": line.topic, "key": (line.key or b"").decode(), "value": json.loads(line.value)}
        for line in lines
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = upwell(tmp_path, "evaluate", "log.jsonl", "--policy", "popularity", "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["counts"]["impressions"] == 40
    assert found["valued"]["logged"]["value"] == found["counts"]["rewards"] / 40
    assert f"abstains: {found['valued']['abstains']}" in done.stderr
