"""The recipe `music`: what users had comes back, since they play it again."""

from __future__ import annotations

from collections import Counter

from tests.recipes.streams import events_of, played, source_of
from upwell.events import Click


def test_it_says_that_it_is_drawn_and_a_seed_draws_the_same() -> None:
    one, same, other = (source_of("music", seed=seed) for seed in (7, 7, 8))
    assert one.said.startswith("drawn by seed 7, nothing recorded")
    assert one.records == same.records
    assert one.records != other.records


def test_people_listen_again_and_new_ones_come() -> None:
    clicks = [one for one in events_of(source_of("music", 4_000)) if isinstance(one, Click)]
    plays = Counter((one.user_id, one.item_id) for one in clicks)
    assert len(clicks) == 4_000
    assert 0.4 < 1 - len(plays) / len(clicks) < 0.7
    early = {one.user_id for one in clicks[:1_500]}
    assert len({one.user_id for one in clicks} - early) > 10


def test_lists_that_may_repeat_are_worth_more() -> None:
    worth = played("music", source_of("music"))
    assert worth["Upwell"] > 1.3 * worth["Upwell, UPWELL_REPEATS=never"]
    assert worth["Upwell"] > worth["popular, 7 days"]
