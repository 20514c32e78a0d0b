from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from encoders.adapt import Pair
from stream.replay.adaptation.history import Act, History
from stream.replay.adaptation.lessons import NEAR_LIKES, SOON_MS, lessons

TEXTS = tuple("abcdefgh")
ACTS = st.lists(
    st.builds(
        Act,
        st.just(0),
        st.sampled_from(["u", "v"]),
        st.integers(0, len(TEXTS) - 1),
        st.booleans(),
    ),
    max_size=30,
)


def pairs(*acts: Act, left_out: frozenset[int] = frozenset()) -> dict[str, list[Pair]]:
    return lessons(History(TEXTS, ((),) * len(TEXTS), acts, 0), acts, left_out)


def like(ts: int, row: int, user: str = "u", text: str | None = None) -> Act:
    return Act(ts, user, row, liked=True, text=text)


def test_likes_near_each_other_are_pairs() -> None:
    found = pairs(*(like(n, n) for n in range(6)), like(9, 7, user="v"))["likes"]
    assert [one.anchor + one.positive for one in found] == (
        ["ab", "ac", "ad", "bc", "bd", "be", "cd", "ce", "cf", "de", "df", "ef"]
    )
    assert {one.liked for one in found} == {frozenset("abcdef")}


@given(ACTS)
def test_only_what_one_user_liked_is_a_pair(acts: list[Act]) -> None:
    liked = {
        user: list(dict.fromkeys(act.row for act in acts if act.liked and act.user == user))
        for user in "uv"
    }
    allowed = {
        TEXTS[one or 0] + TEXTS[other or 0]
        for rows in liked.values()
        for place, one in enumerate(rows)
        for other in rows[place + 1 : place + 1 + NEAR_LIKES]
    }
    assert {one.anchor + one.positive for one in pairs(*acts)["likes"]} == allowed


def test_a_search_goes_with_the_first_item_chosen_soon_after() -> None:
    search = Act(0, "u", None, text="words")
    found = pairs(search, Act(1, "u", 3), like(2, 4), like(3, 5))["searches"]
    assert found == [Pair("words", "e", frozenset("ef"))]
    assert pairs(search, like(SOON_MS + 1, 4))["searches"] == []
    assert pairs(search, like(1, 4, user="v"))["searches"] == []


def test_a_review_goes_with_its_item_liked_or_not() -> None:
    found = pairs(Act(0, "u", 2, text="dull"), like(1, 3, text="fine"))["reviews"]
    assert [(one.anchor, one.positive) for one in found] == [("dull", "c"), ("fine", "d")]


def test_what_is_held_out_is_in_no_pair() -> None:
    acts = (Act(0, "u", None, text="q"), like(1, 1, text="r"), like(2, 2), like(3, 3))
    found = pairs(*acts, left_out=frozenset({1}))
    assert [one.anchor + one.positive for one in found["likes"]] == ["cd"]
    assert found["reviews"] == []
    assert all("b" not in one.liked for some in found.values() for one in some)
