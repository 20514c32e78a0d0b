from __future__ import annotations

import pytest

from stream.replay.adaptation.history import Act, read_history
from stream.replay.log import BadLine
from tests.stream.replay.adaptation.logs import NOW, START, history, record, records
from upwell.errors import LogError


def like(number: int, user: str, item: str) -> object:
    return record("clicks", number, user_id=user, item_id=item, action="like")


def test_items_and_acts_are_read_by_time() -> None:
    found = history(
        record("reviews", 5, user_id="u", item_id="b", rating=2.0, text="call me at a@b.org"),
        record("queries", 3, user_id="u", text="a war film"),
        record("clicks", 4, user_id="u", item_id="c", action="view"),
        record("reviews", 6, user_id="u", item_id="a", rating=3.5),
        record("clicks", 7, user_id="u", item_id="nobody", action="like"),
        BadLine(9, "bad_json", "no", b""),
        record("clicks", 8, user_id="u", item_id="a", action="nonsense"),
    )
    assert found.texts == ("Title a. Drama", "Title b. Comedy", "Title c. War")
    assert found.categories == (("Drama",), ("Comedy",), ("War",))
    assert found.acts == (
        Act(START + 3_000, "u", None, text="a war film"),
        Act(START + 4_000, "u", 2),
        Act(START + 5_000, "u", 1, text="call me at ⟨email⟩"),
        Act(START + 6_000, "u", 0, liked=True),
    )
    assert found.left_out == 2


def test_an_item_has_the_text_of_its_last_announcement() -> None:
    found = history(
        record("items", 2, item_id="a", text="Now with words."),
        record("items", 3, item_id="unknown", text="without a title"),
        record("clicks", 4, user_id="u", item_id="a", action="like"),
    )
    assert found.texts[0] == "Title a. Drama. Now with words."
    assert len(found.texts) == 3


def test_a_forgotten_user_is_not_in_it_whenever_they_asked() -> None:
    control = record("controls", 9, kind="forget_user", by="op", why="asked", user_id="u")
    some = [
        record("clicks", n, user_id=u, item_id="a", action="like") for n, u in ((4, "u"), (5, "v"))
    ]
    again = record("clicks", 12, user_id="u", item_id="b", action="like")
    assert [(act.user, act.ts) for act in history(*some, control, again).acts] == [
        ("v", START + 5_000),
        ("u", START + 12_000),
    ]


def test_a_deleted_review_leaves_neither_words_nor_a_like() -> None:
    found = history(
        record("reviews", 4, user_id="u", item_id="a", rating=5.0, text="so good"),
        record("reviews", 5, user_id="v", item_id="a", rating=5.0, text="mine stays"),
        record("reviews", 6, user_id="u", item_id="a", deleted=True),
    )
    assert [(act.user, act.liked, act.text) for act in found.acts] == [
        ("u", False, None),
        ("v", True, "mine stays"),
        ("u", False, None),
    ]


def test_a_guests_events_are_the_users_whom_they_became() -> None:
    merge = record(
        *("controls", 6), kind="merge_user", by="op", why="login", user_id="ann", from_user="guest"
    )
    found = history(record("clicks", 4, user_id="guest", item_id="a", action="like"), merge)
    assert [act.user for act in found.acts] == ["ann"]


def test_a_log_without_items_or_events_is_refused() -> None:
    for lines in ([], records()):
        with pytest.raises(LogError, match="nothing to learn"):
            read_history(lines, NOW)
