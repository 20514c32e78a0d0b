"""Noise: a retry is dropped and a redelivery is not, bounces and bots are counted, and nothing is
learned before the commit.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain import denoise
from stream.chain.denoise import BOT_WINDOW_MS, Denoiser, NoiseLimits
from stream.chain.records import Arrival, Record
from upwell.events import Action, Click, Control, ControlKind, Event, Query, Request, Review, Topic

LOG = Path(__file__).parents[3] / "data" / "movielens" / "events.jsonl.gz"
LIMITS = NoiseLimits(window=100, bounce_ms=500)
FASTEST_OF_THE_LOG = 392


def arrival(
    event: Event, offset: int = 0, partition: int = 0, topic: Topic = Topic.CLICKS
) -> Arrival:
    return Arrival(event, topic, Record(topic, partition, offset, None, 0))


def click(
    event_id: str,
    *,
    user: str = "u",
    ts: int = 0,
    action: Action = Action.CLICK,
    dwell_ms: int | None = None,
) -> Click:
    return Click(
        event_id=event_id, ts=ts, user_id=user, item_id="i", action=action, dwell_ms=dwell_ms
    )


def burst(count: int, start: int = 0, *, step_ms: int = 1, user: str = "u") -> list[Arrival]:
    """Clicks of one user at offsets from `start`."""
    return [
        arrival(click(f"{user}{at}", user=user, ts=at * step_ms), at)
        for at in range(start, start + count)
    ]


def run(denoiser: Denoiser, batch: Sequence[Arrival]) -> tuple[list[Arrival], dict[str, int]]:
    """Split and commit."""
    kept, dropped = denoiser.split(batch)
    denoiser.commit()
    return kept, dict(dropped)


def test_a_retry_is_dropped_within_a_batch_and_later() -> None:
    denoiser = Denoiser(LIMITS)
    first, retry, later = (
        arrival(click("e"), 0),
        arrival(click("e"), 1),
        arrival(click("e"), 2, partition=1),
    )
    assert run(denoiser, [first, retry]) == ([first], {"duplicates": 1})
    assert run(denoiser, [later]) == ([], {"duplicates": 1})


def test_a_redelivery_is_no_duplicate_of_itself() -> None:
    denoiser = Denoiser(LIMITS)
    batch = [arrival(click("e"), 0), arrival(click("e"), 1), arrival(click("f"), 2)]
    once = run(denoiser, batch)
    assert run(denoiser, batch) == once
    assert run(denoiser, batch[1:]) == ([batch[2]], {"duplicates": 1})


def test_the_same_id_on_another_topic_is_another_event() -> None:
    denoiser = Denoiser(LIMITS)
    review = Review(event_id="e", ts=0, user_id="u", item_id="i", rating=4.0)
    batch = [arrival(click("e")), arrival(review, topic=Topic.REVIEWS)]
    assert run(denoiser, batch) == (batch, {})


def test_nothing_is_remembered_before_the_commit() -> None:
    denoiser = Denoiser(NoiseLimits(window=100, bounce_ms=0, bot_events=3))
    denoiser.split([arrival(click("e"), 0), *burst(3, 1)])
    again = [arrival(click("e"), 7), *burst(2, 8)]
    assert denoiser.split(again) == (again, Counter())


def test_the_oldest_ids_leave_first() -> None:
    denoiser = Denoiser(NoiseLimits(window=2, bounce_ms=0))
    run(denoiser, [arrival(click(name), at) for at, name in enumerate("abc")])
    assert run(denoiser, [arrival(click("b"), 9)])[1] == {"duplicates": 1}
    assert run(denoiser, [arrival(click("a"), 10)])[1] == {}
    assert len(denoiser._seen) == 2


def test_without_a_window_no_id_is_remembered() -> None:
    denoiser = Denoiser(NoiseLimits(window=0, bounce_ms=0))
    batch = [arrival(click("e"), 0), arrival(click("e"), 1)]
    assert run(denoiser, batch) == (batch, {})


@pytest.mark.parametrize(
    ("action", "dwell_ms", "bounce_ms", "stays"),
    [
        (Action.VIEW, 0, 500, False),
        (Action.VIEW, 499, 500, False),
        (Action.VIEW, 500, 500, True),
        (Action.VIEW, None, 500, True),
        (Action.VIEW, 0, 0, True),
        (Action.CLICK, 0, 500, True),
        (Action.PURCHASE, 1, 500, True),
    ],
)
def test_a_view_that_was_left_at_once_is_a_bounce(
    action: Action, dwell_ms: int | None, bounce_ms: int, stays: bool
) -> None:
    kept, dropped = run(
        Denoiser(NoiseLimits(10, bounce_ms)),
        [arrival(click("e", action=action, dwell_ms=dwell_ms))],
    )
    assert (len(kept), dropped) == ((1, {}) if stays else (0, {"bounces": 1}))


def test_more_events_in_a_minute_than_the_limit_are_a_bots() -> None:
    denoiser = Denoiser(NoiseLimits(window=100, bounce_ms=0, bot_events=5))
    batch = burst(8)
    assert run(denoiser, batch) == (batch[:5], {"bots": 3})
    assert run(denoiser, burst(2, 8)) == ([], {"bots": 2})  # it stays one while it goes on
    others = burst(3, 10, user="other")
    assert run(denoiser, others) == (others, {})


def test_a_redelivered_event_counts_once() -> None:
    denoiser = Denoiser(NoiseLimits(window=100, bounce_ms=0, bot_events=5))
    for _ in range(4):
        assert run(denoiser, burst(5)) == (burst(5), {})
    assert run(denoiser, burst(1, 5)) == ([], {"bots": 1})


def test_who_slows_down_is_no_bot_any_more() -> None:
    denoiser = Denoiser(NoiseLimits(window=100, bounce_ms=0, bot_events=5))
    run(denoiser, burst(8))
    later = [arrival(click("later", ts=BOT_WINDOW_MS + 100), 8)]
    assert run(denoiser, later) == (later, {})


def test_a_pace_at_the_limit_passes_for_ever() -> None:
    denoiser = Denoiser(NoiseLimits(window=1_000, bounce_ms=0, bot_events=5))
    for start in range(0, 200, 10):
        assert run(denoiser, burst(10, start, step_ms=BOT_WINDOW_MS // 5))[1] == {}


def test_late_events_are_counted_in_their_own_minute() -> None:
    denoiser = Denoiser(NoiseLimits(window=100, bounce_ms=0, bot_events=3))
    run(denoiser, [arrival(click(f"new{at}", ts=10 * BOT_WINDOW_MS + at), at) for at in range(3)])
    late = [arrival(click("late", ts=0), 3)]
    assert run(denoiser, late) == (late, {})


def test_requests_are_no_bots_work() -> None:
    denoiser = Denoiser(NoiseLimits(window=100, bounce_ms=0, bot_events=1))
    asked = [
        arrival(
            Request(event_id=f"r{at}", ts=at, user_id="u", request_id=f"q{at}"),
            at,
            topic=Topic.REQUESTS,
        )
        for at in range(9)
    ]
    assert run(denoiser, asked) == (asked, {})
    queries = [
        arrival(Query(event_id=f"s{at}", ts=at, user_id="u", text="x"), at, topic=Topic.QUERIES)
        for at in range(2)
    ]
    assert run(denoiser, queries) == (queries[:1], {"bots": 1})


@pytest.mark.parametrize("bot_events", [0, 4])
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 90_000)), max_size=30), st.integers(0, 30)
)
def test_a_redelivered_batch_is_judged_the_same(
    bot_events: int, events: list[tuple[int, int]], cut: int
) -> None:
    """Whether it was committed or not, and what came before it."""
    batch = [
        arrival(click(f"e{at % 20}", user=f"u{user}", ts=ts), at)
        for at, (user, ts) in enumerate(events)
    ]
    denoiser = Denoiser(NoiseLimits(window=100, bounce_ms=0, bot_events=bot_events))
    run(denoiser, batch[:cut])
    first = denoiser.split(batch[cut:])
    assert denoiser.split(batch[cut:]) == first
    denoiser.commit()
    if bot_events == 0:
        assert denoiser.split(batch[cut:]) == first


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40), st.integers(1, 10))
def test_what_is_kept_and_dropped_is_everything(events: list[tuple[int, int]], size: int) -> None:
    denoiser = Denoiser(NoiseLimits(window=3, bounce_ms=0, bot_events=2))
    for start in range(0, len(events), size):
        batch = [
            arrival(click(f"e{name}", user=f"u{user}"), start + at)
            for at, (name, user) in enumerate(events[start : start + size])
        ]
        kept, dropped = run(denoiser, batch)
        assert len(kept) + sum(dropped.values()) == len(batch)
        assert [one for one in batch if one in kept] == kept
        assert len(denoiser._seen) <= 3


def test_memory_is_bounded_by_users_and_by_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denoise, "WATCHED_USERS", 3)
    denoiser = Denoiser(NoiseLimits(window=5, bounce_ms=0, bot_events=4))
    for user in "abcdefg":
        run(denoiser, burst(20, user=user))
    assert list(denoiser._pace._times) == ["e", "f", "g"]
    assert all(len(times) <= 5 for times in denoiser._pace._times.values())


def test_the_bundled_log_loses_nothing_at_600_a_minute() -> None:
    """People rate in bursts: the fastest user here rated 392 films in ten seconds."""
    denoiser = Denoiser(NoiseLimits(window=1_000, bounce_ms=500, bot_events=600))
    users: Counter[tuple[str, int]] = Counter()
    batch = []
    with gzip.open(LOG, "rt", encoding="utf-8") as lines:
        for offset, line in enumerate(lines):
            value = json.loads(line)["value"]
            if "user_id" in value:
                event = Review(
                    event_id=value["event_id"],
                    ts=value["ts"],
                    user_id=value["user_id"],
                    item_id=value["item_id"],
                    rating=3.0,
                )
                batch.append(arrival(event, offset, topic=Topic.REVIEWS))
                users[value["user_id"], value["ts"] // BOT_WINDOW_MS] += 1
    kept, dropped = run(denoiser, batch)
    assert (len(kept), dropped) == (len(batch), {})
    assert (
        FASTEST_OF_THE_LOG // 2 < users.most_common(1)[0][1] <= FASTEST_OF_THE_LOG
    )  # so the test is no empty one


def test_how_fast_a_forgotten_user_was_is_not_kept() -> None:
    denoiser = Denoiser(NoiseLimits(window=100, bounce_ms=0, bot_events=5))
    forget = Control(
        event_id="f", ts=0, kind=ControlKind.FORGET_USER, by="op", why="asked to", user_id="u"
    )
    run(denoiser, [*burst(0, 5), *burst(5, 5, user="v")])
    merge = replace(
        forget, kind=ControlKind.MERGE_USER, event_id="m", user_id="v", from_user="guest"
    )
    run(denoiser, [arrival(one, topic=Topic.CONTROLS) for one in (forget, merge)])
    assert run(denoiser, burst(10, 5))[1] == {}
    assert run(denoiser, burst(15, 5, user="v"))[1] == {"bots": 5}


def test_the_same_event_id_of_another_user_is_another_event() -> None:
    guest, ann = (
        Arrival(
            Click(event_id="e", ts=1, user_id=user, item_id="i", action=Action.CLICK),
            Topic.CLICKS,
            Record(Topic.CLICKS, 0, offset, b"", 1),
        )
        for offset, user in enumerate(("guest", "ann"))
    )
    again = replace(ann, record=replace(ann.record, offset=2))
    kept, dropped = Denoiser(LIMITS).split([guest, ann, again])
    assert (kept, dropped) == ([guest, ann], {"duplicates": 1})
