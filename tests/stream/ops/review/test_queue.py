"""Which items are in the queue, by records as they stand on the topics: in any order, twice, and
with what is no event among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override
from stream.ops.access.topics import Standing
from stream.ops.review.queue import Reason, Row, override_id_of, queue, undecided, with_decisions
from stream.ops.review.seen import count
from upwell.events import Decision, Topic

SINCE, UNTIL = 1_700_000_000_000, 1_700_001_000_000
MIDDLE = (SINCE + UNTIL) // 2


class Topics:
    """Records, numbered as they come."""

    def __init__(self) -> None:
        self.records: list[Standing[Topic]] = []

    def add(self, topic: Topic, at: int, **value: Any) -> None:
        number = len(self.records)
        told = {"event_id": f"e{number}", "ts": at, **value}
        self.records.append(Standing(topic, 0, number, at, None, orjson.dumps(told)))

    def click(self, user: str, item: str, at: int, action: str = "click") -> None:
        self.add(Topic.CLICKS, at, user_id=user, item_id=item, action=action)

    def listed(self, number: int, item: str, at: int, explored: bool = False) -> None:
        entry = {"item_id": item, "score": 1.0, "reasons": [], "explored": explored}
        self.add(
            Topic.RECOMMENDATIONS,
            at,
            list_id=f"l{number}",
            user_id="u",
            items=[entry],
            model_version="1",
            trigger="t",
            covers={},
            latency_ms=1,
        )

    def rows(self, **standing: Kept) -> dict[str, Row]:
        seen = count(self.records, SINCE, UNTIL)
        held = {override_id_of(name): kept for name, kept in standing.items()}
        rows = with_decisions(queue(seen, SINCE, UNTIL), held.get, UNTIL)
        return {one.item_id: one for one in rows}


def busy() -> Topics:
    """Of each reason an item; `calm` has none."""
    topics = Topics()
    for item in ("calm", "reported", "drifting", "unknown"):
        topics.add(Topic.ITEMS, SINCE - 10, item_id=item, title=f"T {item}")
    topics.add(Topic.ITEMS, MIDDLE, item_id="new", title="T new")
    for n in range(60):
        topics.click(f"u{n}", "calm", SINCE + n)
        topics.click(f"v{n}", "calm", MIDDLE + n)
    for n in range(4):
        topics.click(f"u{n}", "reported", SINCE + n, "dislike")
    topics.add(Topic.REVIEWS, MIDDLE, user_id="w", item_id="reported", rating=1.5)
    for n in range(40):
        topics.click(f"u{n}", "drifting", MIDDLE + n)
    for n in range(70):
        topics.click(f"u{n}", "new", MIDDLE + n)
    for n in range(25):
        topics.listed(n, "unknown", MIDDLE + n)
        topics.listed(100 + n, "by lot", MIDDLE + n, explored=True)
    return topics


def test_each_has_its_reason() -> None:
    rows = busy().rows()
    assert {name: one.reasons for name, one in rows.items()} == {
        "reported": (Reason.REPORTED,),
        "new": (Reason.NEWLY_POPULAR,),
        "drifting": (Reason.DRIFTING,),
        "unknown": (Reason.LOW_CONFIDENCE,),
    }
    assert next(iter(rows)) == "reported"
    assert (rows["reported"].against, rows["drifting"].now, rows["unknown"].shown) == (5, 40, 25)
    assert rows["new"].title == "T new"


@given(st.randoms(use_true_random=False), st.data())
def test_order_and_repeats_change_nothing(random: Any, data: st.DataObject) -> None:
    topics = busy()
    before = topics.rows()
    again = data.draw(st.lists(st.sampled_from(topics.records), max_size=30))
    topics.records += again
    random.shuffle(topics.records)
    assert topics.rows() == before


def test_what_is_no_event_or_of_another_time_counts_for_nothing() -> None:
    topics = busy()
    before = topics.rows()
    for topic in (Topic.ITEMS, Topic.CLICKS, Topic.REVIEWS, Topic.RECOMMENDATIONS):
        for value in (b"", b"{", b"null", b"[]", None):
            topics.records.append(Standing(topic, 0, 0, MIDDLE, None, value))
    for n in range(50):
        topics.click(f"x{n}", "calm", SINCE - 1, "dislike")
        topics.click(f"x{n}", "calm", UNTIL, "dislike")
    assert topics.rows() == before


def test_who_hides_or_reports_an_item_speaks_against_it() -> None:
    topics = Topics()
    for n, action in enumerate(("report", "hide", "dislike")):
        topics.click(f"u{n}", "i", MIDDLE + n, action)
    assert topics.rows()["i"].against == 3
    for n, action in enumerate(("save", "comment", "unsave")):
        topics.click(f"v{n}", "i", MIDDLE + n, action)
    topics.add(Topic.CLICKS, MIDDLE, user_id="w", item_id="i", action="play", completion=0.1)
    seen = count(topics.records, SINCE, UNTIL)["i"]
    assert (seen.against, set(seen.now)) == (3, {"v0"}), "what was left early was not taken"


def test_since_is_when_the_bar_was_reached() -> None:
    rows = busy().rows()
    assert {name: one.since for name, one in rows.items()} == {
        "reported": SINCE + 2,  # the third of five words
        "new": MIDDLE + 69,  # so many took the item that is taken most
        "drifting": MIDDLE,
        "unknown": MIDDLE + 19,
    }


def test_what_waits_for_a_second_person_still_waits_for_somebody() -> None:
    made = Override(
        override_id=override_id_of("new"), item_id="new", decision=Decision.BAN, by="ann",
        why="seen", event_id="e", at=MIDDLE,
    )  # fmt: skip
    waits, holds = Kept(seq=0, waiting=made, needs=1), Kept(seq=0, standing=made)
    assert "new" in {one.item_id for one in undecided(busy().rows(new=waits).values())}
    assert "new" not in {one.item_id for one in undecided(busy().rows(new=holds).values())}


def test_long_ids_that_begin_alike_are_decided_apart() -> None:
    one, other = "i" * 250 + "1", "i" * 250 + "2"
    assert override_id_of(one) != override_id_of(other)
    assert max(len(override_id_of(name)) for name in (one, "i", "ü" * 256)) <= 200
    assert override_id_of("i") == "review:i"


def test_a_word_that_is_taken_back_is_none() -> None:
    topics = Topics()
    for n in range(5):
        topics.click(f"u{n}", "i", MIDDLE + n, "dislike")
    assert topics.rows()["i"].against == 5
    for n in range(3):
        topics.click(f"u{n}", "i", MIDDLE + 10 + n, "unlike")
    assert "i" not in topics.rows()


def test_what_was_decided_stands_until_its_time_is_over() -> None:
    made = Override(
        override_id=override_id_of("reported"),
        item_id="reported",
        decision=Decision.KEEP,
        by="ann",
        why="seen",
        event_id="e",
        at=MIDDLE,
        until_ts=UNTIL + 1,
    )
    stands: Callable[..., Kept] = lambda **more: Kept(seq=0, **more)  # noqa: E731
    kept = stands(standing=made)
    assert busy().rows(reported=kept)["reported"].decided == kept
    over = stands(standing=replace(made, until_ts=UNTIL))
    assert busy().rows(reported=over)["reported"].decided is None
    waits = stands(standing=replace(made, until_ts=UNTIL), waiting=made, needs=1)
    assert busy().rows(reported=waits)["reported"].decided == waits
