"""What every adapter promises as a `UserStore`; the memory adapter is the others' reference."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Store
from store.memory import MemoryStore
from tests.store.adapters import ADAPTERS, LOCAL_MODE_WARNINGS, opened
from tests.store.states import DIMENSION, arbitrary_states, same_state, state
from upwell.errors import StoreError
from upwell.values import Interaction, Pending, UserState

pytestmark = LOCAL_MODE_WARNINGS

numbers = itertools.count()


@pytest.fixture(scope="module", params=ADAPTERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """One store for the module: each test uses users of its own."""
    with opened(request.param, DIMENSION) as store:
        yield store


@pytest.fixture
def user() -> str:
    return f"user-{next(numbers)}"


def test_unknown_user_is_none(store: Store, user: str) -> None:
    assert store.read_users([user]) == [None]


def test_nothing_asked_nothing_done(store: Store) -> None:
    assert store.read_users([]) == []
    assert store.write_users([]) == []
    store.forget_users([])


def test_reads_come_in_the_order_asked(store: Store, user: str) -> None:
    first, second = state(f"{user}-a", 1), state(f"{user}-b", 2)
    assert store.write_users([first, second]) == []
    found = store.read_users([second.user, user, first.user, second.user])
    assert [
        same_state(a, b) for a, b in zip(found, [second, None, first, second], strict=True)
    ] == [True] * 4


def test_zero_intent_and_empty_state(store: Store, user: str) -> None:
    empty = UserState(user=user, intent=np.zeros(DIMENSION, np.float32))
    assert store.write_users([empty]) == []
    assert same_state(store.read_users([user])[0], empty)


@settings(max_examples=40, deadline=None)
@given(st.lists(arbitrary_states, min_size=1, max_size=4, unique_by=lambda state: state.user))
def test_any_state_comes_back(store: Store, states: list[UserState]) -> None:
    store.forget_users([state.user for state in states])
    assert store.write_users(states) == []
    found = store.read_users([state.user for state in states])
    assert all(same_state(a, b) for a, b in zip(found, states, strict=True))


@pytest.mark.parametrize("late", [4, 5])
def test_stale_write_is_refused_and_the_others_are_written(
    store: Store, user: str, late: int
) -> None:
    kept, other = state(user, 5), state(f"{user}-other", 1)
    store.write_users([kept])
    assert store.write_users([state(user, late, had=("stale",)), other]) == [user]
    assert same_state(store.read_users([user])[0], kept)
    assert same_state(store.read_users([other.user])[0], other)


@pytest.mark.parametrize("order", [(1, 2, 0), (2, 1, 0), (0, 1, 2)])
def test_the_highest_sequence_of_a_batch_stands(
    store: Store, user: str, order: tuple[int, ...]
) -> None:
    assert store.write_users([state(user, sequence) for sequence in order]) == []
    found = store.read_users([user])[0]
    assert found is not None
    assert found.sequence == 2


def test_of_equal_sequences_the_first_stands(store: Store, user: str) -> None:
    assert (
        store.write_users([state(user, 1, had=("first",)), state(user, 1, had=("second",))]) == []
    )
    assert same_state(store.read_users([user])[0], state(user, 1, had=("first",)))


def test_a_user_twice_in_a_batch_is_refused_once(store: Store, user: str) -> None:
    store.write_users([state(user, 9)])
    assert store.write_users([state(user, 3), state(user, 4)]) == [user]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=4), max_size=6))
def test_any_writes_end_as_in_the_reference(
    store: Store, batches: list[list[tuple[int, int]]]
) -> None:
    reference = MemoryStore(DIMENSION)
    run = next(numbers)
    users = [f"law-{run}-{number}" for number in range(3)]
    marks = itertools.count()
    for batch in batches:
        states = [
            state(users[number], sequence, had=(str(next(marks)),)) for number, sequence in batch
        ]
        assert store.write_users(states) == reference.write_users(states)
    found = zip(store.read_users(users), reference.read_users(users), strict=True)
    assert all(same_state(a, b) for a, b in found)


def test_large_batches(store: Store, user: str) -> None:
    states = [state(f"{user}-{number}", 1 + number % 2) for number in range(300)]
    assert store.write_users(states) == []
    again = [state(f"{user}-{number}", 2) for number in range(300)]
    assert store.write_users(again) == [state.user for state in states if state.sequence == 2]
    assert [
        found is not None and found.sequence == 2
        for found in store.read_users([s.user for s in states])
    ] == [True] * 300


def test_forgotten_is_gone_and_may_begin_again(store: Store, user: str) -> None:
    store.write_users([state(user, 9), state(f"{user}-b", 9)])
    store.forget_users([user, "never seen"])
    assert store.read_users([user]) == [None]
    assert store.read_users([f"{user}-b"]) != [None]
    assert store.write_users([state(user, 1)]) == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(1, 4)
        ),
        max_size=8,
    )
)
def test_any_writes_and_removals_leave_what_the_reference_has(
    store: Store, steps: list[tuple[bool, list[int], int]]
) -> None:
    reference, users = MemoryStore(DIMENSION), ["r0", "r1", "r2", "r3"]
    store.forget_users(users)
    for removal, numbers, sequence in steps:
        named = [users[number] for number in numbers]
        if removal:
            for one in (store, reference):
                one.forget_users(named)
        else:
            states = [state(user, sequence) for user in dict.fromkeys(named)]
            assert store.write_users(states) == reference.write_users(states)
        found = zip(store.read_users(users), reference.read_users(users), strict=True)
        assert all((a is None and b is None) or same_state(a, b) for a, b in found)


def bad_states() -> list[UserState]:
    good = state("bad", 1)
    nan_at = good.intent.copy()
    nan_at[2] = np.nan
    changes = [
        {"intent": np.ones(DIMENSION + 1, np.float32)},
        {"intent": np.ones((1, DIMENSION), np.float32)},
        {"intent": nan_at},
        {"intent": np.full(DIMENSION, np.inf, np.float32)},
        {"intent": np.ones(DIMENSION, np.float64)},
        {"user": ""},
        {"user": "x" * 257},
        {"user": "lone \ud800"},
        {"history": (Interaction("e", 1, "i", "click", float("nan")),)},
        {"history": (Interaction("e", 2**70, "i", "click"),)},
        {"pending": (Pending("i", 1, float("-inf")),)},
        {"had": ("lone \udfff",)},
        {"watermark": {"clicks-0": 2**60}},
        {"watermark": {"clicks-0": -9}},
    ]
    return [dataclasses.replace(good, **change) for change in changes]  # type: ignore[arg-type]


@pytest.mark.parametrize("number", range(len(bad_states())))
def test_an_invalid_state_leaves_nothing_of_its_batch(store: Store, user: str, number: int) -> None:
    with pytest.raises(StoreError):
        store.write_users([state(user, 1), bad_states()[number], state(f"{user}-b", 1)])
    assert store.read_users([user, f"{user}-b"]) == [None, None]


@pytest.mark.parametrize("bad", ["", "x" * 257])
def test_invalid_ids_are_refused_everywhere(store: Store, bad: str) -> None:
    with pytest.raises(StoreError):
        store.read_users([bad])
    with pytest.raises(StoreError):
        store.forget_users([bad])


def test_the_longest_id_is_taken(store: Store) -> None:
    assert store.write_users([state("ü" * 256, 1)]) == []
    assert store.read_users(["ü" * 256]) != [None]


def test_health_counts_users(store: Store, user: str) -> None:
    before = store.health()
    store.write_users([state(user, 1), state(f"{user}-b", 1)])
    store.write_users([state(user, 2)])
    assert store.health() == dataclasses.replace(before, users=before.users + 2)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_closed_store_says_so(adapter: str) -> None:
    with opened(adapter, DIMENSION) as store:
        store.close()
        store.close()
        for use in (
            store.health,
            lambda: store.read_users(["u"]),
            lambda: store.write_users([state("u", 1)]),
        ):
            with pytest.raises(StoreError, match="closed"):
                use()
