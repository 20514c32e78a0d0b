"""The recipe `news`: stories are published all the time, and nobody wants them the day after."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median

from tests.recipes.streams import events_of, played, source_of
from upwell.events import Click, Item

HOUR_MS = 3_600_000


def test_it_says_that_it_is_drawn_and_a_seed_draws_the_same() -> None:
    one, same, other = (source_of("news", seed=seed) for seed in (7, 7, 8))
    assert one.said.startswith("drawn by seed 7, nothing recorded")
    assert one.records == same.records
    assert one.records != other.records


def test_stories_fade_within_hours_break_now_and_then_and_find_new_readers() -> None:
    events = events_of(source_of("news", 4_000))
    since = {one.item_id: one for one in events if isinstance(one, Item)}
    clicks = [one for one in events if isinstance(one, Click)]
    assert all(one.ts >= since[one.item_id].ts for one in clicks)
    last = clicks[2_000:]
    assert 1 < median((one.ts - since[one.item_id].ts) / HOUR_MS for one in last) < 12
    ages = defaultdict(list)
    for one in last:
        [section] = since[one.item_id].categories
        ages[section].append((one.ts - since[one.item_id].ts) / HOUR_MS)
    assert median(ages["sport"]) < median(ages["culture"])
    assert max(Counter((one.user_id, one.item_id) for one in clicks).values()) == 1
    read = Counter(one.item_id for one in clicks)
    assert read.most_common(1)[0][1] > 6 * median(read.values())
    assert len({one.user_id for one in clicks} - {one.user_id for one in clicks[:1_500]}) > 30


def test_lists_are_worth_more_than_what_was_popular_yesterday() -> None:
    worth = played("news", source_of("news"))
    assert worth["Upwell"] > worth["popular, 24 hours"]
    assert worth["Upwell"] > worth["newest"]
    assert "Upwell, UPWELL_LIFETIME=off" in worth
