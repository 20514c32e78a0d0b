"""The hot copy is never seen: whatever its size, states are those of the store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.memory import MemoryStore
from stream.chain.users import Users
from upwell.values import UserState

DIMENSION = 2
NAMES = ("ann", "bob", "eve")


class NotingStore(MemoryStore):
    """Keeps whom it was asked for, call by call."""

    def __init__(self) -> None:
        super().__init__(DIMENSION)
        self.reads: list[list[str]] = []

    def read_users(self, users: Sequence[str]) -> list[UserState | None]:
        self.reads.append(list(users))
        return super().read_users(users)


def state(user: str, offset: int) -> UserState:
    return UserState(
        user, np.ones(DIMENSION, np.float32), events=offset + 1, watermark={"clicks-0": offset}
    )


@pytest.fixture
def store() -> NotingStore:
    return NotingStore()


def test_a_user_nobody_has_seen_is_empty(store: NotingStore) -> None:
    found = Users(store, 5, DIMENSION).read(["ann"])["ann"]
    assert (found.user, found.events, found.sequence) == ("ann", 0, 0)
    assert found.intent.tolist() == [0.0, 0.0]


def test_new_users_are_read_at_once_and_hot_ones_not_again(store: NotingStore) -> None:
    users = Users(store, 5, DIMENSION)
    users.write([state("ann", 0)])
    users.read(["ann", "bob", "eve"])
    assert store.reads == [["bob", "eve"]]
    users.read(["ann"])
    assert len(store.reads) == 1


def test_those_written_longest_ago_leave_first(store: NotingStore) -> None:
    users = Users(store, 2, DIMENSION)
    users.write([state("ann", 0), state("bob", 0)])
    users.write([state("ann", 1)])
    users.write([state("eve", 0)])
    assert len(users) == 2
    users.read(NAMES)
    assert store.reads == [["bob"]]


def test_what_another_worker_wrote_is_told_and_read_anew(store: NotingStore) -> None:
    users = Users(store, 5, DIMENSION)
    users.write([state("ann", 3), state("bob", 3)])
    store.write_users([state("ann", 8)])
    assert users.write([state("ann", 5), state("bob", 5)]) == ["ann"]
    found = users.read(["ann", "bob"])
    assert (found["ann"].events, found["bob"].events) == (9, 6)
    assert store.reads == [["ann"]]


def test_after_clear_nothing_is_believed(store: NotingStore) -> None:
    users = Users(store, 5, DIMENSION)
    users.write([state("ann", 3)])
    store.write_users([state("ann", 8)])
    assert users.read(["ann"])["ann"].events == 4
    users.clear()
    assert users.read(["ann"])["ann"].events == 9


def test_a_forgotten_user_is_gone_from_memory_and_store(store: NotingStore) -> None:
    users = Users(store, 5, DIMENSION)
    users.write([state("ann", 3), state("bob", 3)])
    users.forget(["ann", "nobody"])
    assert [one is None for one in store.read_users(["ann", "bob"])] == [True, False]
    assert users.read(["ann"])["ann"].events == 0


def test_nothing_asked_of_the_store_for_nothing() -> None:
    class Deaf(NotingStore):
        def write_users(self, states: Sequence[UserState]) -> list[str]:
            raise AssertionError("asked")

        def forget_users(self, users: Sequence[str]) -> None:
            raise AssertionError("asked")

    users = Users(Deaf(), 5, DIMENSION)
    assert users.write([]) == []
    users.forget([])
    assert users.read([]) == {}


steps = st.tuples(st.sampled_from(["write", "read", "forget", "clear"]), st.sampled_from(NAMES))


@given(st.lists(steps, max_size=30), st.integers(0, 4))
def test_any_size_gives_what_the_store_alone_would(
    taken: list[tuple[str, str]], capacity: int
) -> None:
    users, events = Users(NotingStore(), capacity, DIMENSION), dict.fromkeys(NAMES, 0)
    for offset, (what, name) in enumerate(taken):
        if what == "write":
            assert users.write([state(name, offset)]) == []
            events[name] = offset + 1
        elif what == "forget":
            users.forget([name])
            events[name] = 0
        elif what == "clear":
            users.clear()
        assert users.read([name])[name].events == events[name]
        assert len(users) <= capacity
