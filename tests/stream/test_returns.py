"""What a user buys again and again may stand in their lists again, after their own usual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream.chain.fold import ONE_PURCHASE_MS, for_ranker
from tests.stream.chain.chain import NOW_MS, Chain, record
from upwell.events import Topic
from upwell.values import Interaction, UserState

DAY = 86_400_000
HOUR = ONE_PURCHASE_MS


def state_of(*bought: int, more: tuple[Interaction, ...] = ()) -> UserState:
    """A user who bought milk at these times, and wine once."""
    events = [Interaction(f"e{ts}", ts, "milk", "purchase") for ts in bought]
    events += [Interaction("w", 1, "wine", "purchase"), *more]
    return replace(
        Chain().pipeline._users.read(["u"])["u"],
        history=tuple(sorted(events, key=lambda one: one.order)),
        had=("wine", "milk"),
    )


def said(ts: int, kind: str, rating: float | None = None) -> Interaction:
    return Interaction(f"s{ts}", ts, "milk", kind, rating)


@pytest.mark.parametrize(
    ("bought", "now", "returns"),
    [
        ((DAY,), 400 * DAY, False),
        ((DAY, 8 * DAY), 8 * DAY, False),
        ((DAY, 8 * DAY), 15 * DAY - 1, False),
        ((DAY, 8 * DAY), 15 * DAY, True),
        ((DAY, 3 * DAY, 5 * DAY, 50 * DAY), 52 * DAY, True),  # the median, not the mean
        ((DAY, 46 * DAY, 48 * DAY, 93 * DAY), 95 * DAY, False),
        ((DAY, DAY + 1, DAY + HOUR - 1), 400 * DAY, False),  # one basket
        ((DAY, DAY + 1, 8 * DAY, 8 * DAY + 1), 14 * DAY, False),
        ((DAY, DAY + 1, 8 * DAY, 8 * DAY + 1), 15 * DAY + 1, True),
    ],
)
def test_it_comes_back_after_the_users_median_time_between_purchases(
    bought: tuple[int, ...], now: int, returns: bool
) -> None:
    assert for_ranker(state_of(*bought), True, now).had == (
        ("wine",) if returns else ("wine", "milk")
    )
    assert for_ranker(state_of(*bought), False, now).had == ("wine", "milk")


def test_the_newest_event_of_the_user_tells_the_time_where_a_request_has_an_older_one() -> None:
    later = Interaction("q", 15 * DAY, None, "query")
    assert for_ranker(state_of(DAY, 8 * DAY, more=(later,)), True, 0).had == ("wine",)
    assert for_ranker(state_of(DAY, 8 * DAY), True, 0).had == ("wine", "milk")


@pytest.mark.parametrize(
    ("last", "returns"),
    [
        (said(9 * DAY, "dislike"), False),
        (said(9 * DAY, "hide"), False),
        (said(9 * DAY, "report"), False),
        (said(9 * DAY, "review", 1.0), False),
        (said(9 * DAY, "review", 5.0), True),
        (said(9 * DAY, "unlike"), True),
    ],
)
def test_what_the_user_does_not_like_stays_out(last: Interaction, returns: bool) -> None:
    found = for_ranker(state_of(DAY, 8 * DAY, more=(last,)), True, 400 * DAY)
    assert ("milk" not in found.had) is returns


@pytest.mark.parametrize(
    ("days", "comes"),
    [((30, 20, 10), True), ((30, 20, 5), False), ((10,), False)],
)
def test_a_list_has_it_again_and_the_state_keeps_that_the_user_had_it(
    days: tuple[int, ...], comes: bool
) -> None:
    chain = Chain()
    events = [
        {"user_id": "ann", "item_id": "i1", "action": "purchase", "ts": NOW_MS - ago * DAY}
        for ago in days
    ]
    chain.pipeline.run([record(Topic.CLICKS, at, one) for at, one in enumerate(events)], NOW_MS)
    asked = {"user_id": "ann", "request_id": "r", "ts": NOW_MS}
    effects = chain.pipeline.run([record(Topic.REQUESTS, 0, asked)], NOW_MS)
    assert ("i1" in [entry.item_id for entry in effects.lists[0].items]) is comes
    state = chain.state("ann")
    assert state is not None
    assert state.had == ("i1",)
