"""The newest list of each user, and who was forgotten: in whatever order the records come."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.topics.newest import MOST_SURFACES, NewestLists, surface_of


def test_the_newest_stays_whatever_comes_later() -> None:
    lists = NewestLists(10)
    assert lists.put("ann", 5, b"five")
    assert not lists.put("ann", 4, b"four")
    assert lists.put("ann", 5, b"five, later in the partition")
    assert lists.get("ann") == b"five, later in the partition"
    assert lists.get("bob") is None


def test_those_whose_list_came_last_are_held() -> None:
    lists = NewestLists(2)
    for user in ("ann", "bob", "ann", "eve"):
        lists.put(user, 1, user.encode())
    assert [lists.get(user) for user in ("ann", "bob", "eve")] == [b"ann", None, b"eve"]
    assert len(lists) == 2


def test_each_surface_has_its_own_and_few_are_held() -> None:
    lists = NewestLists(10)
    lists.put("ann", 9, b"nowhere")
    assert lists.put("ann", 5, b"kids", "kids")
    assert not lists.put("ann", 4, b"older", "kids")
    assert (lists.get("ann", "kids"), lists.get("ann")) == (b"kids", b"nowhere")
    assert lists.get("ann", "mail") is None
    for number in range(2 * MOST_SURFACES):
        lists.put("ann", 9, b"", str(number))
    held = [one for one in map(str, range(2 * MOST_SURFACES)) if lists.get("ann", one) is not None]
    assert held == [str(number) for number in range(MOST_SURFACES, 2 * MOST_SURFACES)]
    assert len(lists) == 1


def test_all_surfaces_are_forgotten() -> None:
    lists = NewestLists(10)
    lists.put("ann", 3, b"nowhere")
    lists.put("ann", 7, b"later", "mail")
    lists.put("ann", 3, b"kids", "kids")
    lists.forget("ann", 5)
    assert [lists.get("ann", one) for one in (None, "kids", "mail")] == [None, None, b"later"]
    lists.forget("ann", 8)
    assert len(lists) == 0


@pytest.mark.parametrize(
    ("value", "surface"),
    [
        (b'{"surface": "kids"}', "kids"),
        (b'{"surface": null}', None),
        (b"{}", None),
        (b'{"surface": 7}', None),
        (b"no json", None),
        (b"[]", None),
    ],
)
def test_a_list_says_where_it_is_shown(value: bytes, surface: str | None) -> None:
    assert surface_of(value) == surface


@pytest.mark.parametrize("order", list(permutations(["list", "merge", "forget", "after"])))
def test_the_forgotten_and_their_guests_are_not_shown(order: tuple[str, ...]) -> None:
    lists = NewestLists(10)
    steps: dict[str, Callable[[], object]] = {
        "list": lambda: [lists.put(user, 3, b"before") for user in ("ann", "guest", "bob")],
        "merge": lambda: lists.merge("guest", "ann", 4),
        "forget": lambda: lists.forget("ann", 5),
        "after": lambda: lists.put("ann", 6, b"after"),
    }
    for step in order:
        steps[step]()
    assert lists.get("ann") == b"after"
    assert lists.get("bob") == b"before"
    assert lists.get("guest") is None


def test_who_became_the_user_after_the_request_is_not_forgotten_by_it() -> None:
    lists = NewestLists(10)
    lists.put("guest", 3, b"list")
    lists.forget("ann", 5)
    lists.merge("guest", "ann", 6)
    assert lists.get("guest") == b"list"
    lists.forget("ann", 5)
    assert lists.get("guest") == b"list"
    lists.forget("ann", 7)
    assert lists.get("guest") is None


def test_guests_of_guests_are_forgotten_and_a_ring_of_merges_ends() -> None:
    lists = NewestLists(10)
    for guest, into in (("a", "b"), ("b", "c"), ("c", "a")):
        lists.merge(guest, into, 0)
        lists.put(guest, 1, b"list")
    lists.forget("c", 1)
    assert [lists.get(user) for user in "abc"] == [None] * 3


@given(
    st.permutations([("put", 1), ("put", 3), ("put", 4), ("put", 7), ("forget", 2), ("forget", 4)])
)
def test_the_order_of_reading_changes_nothing(steps: list[tuple[str, int]]) -> None:
    lists = NewestLists(10)
    for what, at in steps:
        if what == "put":
            lists.put("ann", at, str(at).encode())
        else:
            lists.forget("ann", at)
    assert lists.get("ann") == b"7"
