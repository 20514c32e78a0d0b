"""Popularity as a policy: what most met and this user did not."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stream.replay.log import LogRecord
from stream.replay.policies import Popularity, open_policy
from upwell.events import Action, Click, Impression, Item, Topic
from upwell.settings import Settings

LINE = LogRecord(1, Topic.CLICKS, None, b"{}")
ITEMS = ("i0", "i1", "i2", "i3", "i4")
USERS = ("ann", "bob")


def click(user: str, item: str) -> Click:
    return Click(event_id="e", ts=1, user_id=user, item_id=item, action=Action.CLICK)


def shown(user: str, places: int) -> Impression:
    return Impression(
        event_id="e", ts=1, user_id=user, list_id="l", item_ids=tuple(map(str, range(places)))
    )


def item(name: str, deleted: bool) -> Item:
    return Item(item_id=name, ts=1, title=name, deleted=deleted)


@given(
    st.lists(st.tuples(st.sampled_from(USERS), st.sampled_from(ITEMS)), max_size=30),
    st.sets(st.sampled_from(ITEMS)),
    st.integers(1, 5),
)
def test_the_most_clicked_that_the_user_has_not_met_and_that_are_there(
    clicks: list[tuple[str, str]], deleted: set[str], places: int
) -> None:
    policy, counts = Popularity(), Counter(item for _, item in clicks)
    for user, name in clicks:
        policy.see(LINE, click(user, name))
    for name in deleted:
        policy.see(LINE, item(name, deleted=True))
    would = policy.items_for(shown("ann", places))
    met = {name for user, name in clicks if user == "ann"}
    left = sorted(counts[name] for name in set(counts) - met - deleted)[::-1]
    assert [counts[name] for name in would] == left[:places]
    assert not set(would) & (met | deleted)


def test_of_equals_the_one_met_first_and_what_is_announced_again_is_back() -> None:
    with open_policy("popularity", Settings()) as policy:
        for name in ("i2", "i1"):
            policy.see(LINE, click("bob", name))
        assert policy.items_for(shown("ann", 2)) == ("i2", "i1")
        policy.see(LINE, item("i2", deleted=True))
        assert policy.items_for(shown("ann", 2)) == ("i1",)
        policy.see(LINE, item("i2", deleted=False))
        assert policy.items_for(shown("ann", 2)) == ("i2", "i1")
