"""Users as flat arrays: what went in comes out again, user by user, however the arrays are cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.block import (
    MET,
    MET_LIKED,
    NEW,
    Block,
    Targets,
    block_of,
    cut,
    met_of,
    padded,
    starts_of,
)
from learner.counts.dense import empty_dense
from learner.counts.events import Past

ROWS = st.integers(0, 6)


@dataclass(frozen=True)
class User:
    """One user of a block."""

    history: list[int]
    liked: list[bool]
    blocked: tuple[int, ...]
    events: int
    slot: int
    beside: tuple[tuple[int, float], ...]


@st.composite
def users(draw: st.DrawFn) -> User:
    history = draw(st.lists(ROWS, max_size=5, unique=True))
    return User(
        history,
        draw(st.lists(st.booleans(), min_size=len(history), max_size=len(history))),
        tuple(draw(st.lists(ROWS, max_size=3))),
        draw(st.integers(0, 99)),
        draw(st.integers(-1, 3)),
        tuple(draw(st.lists(st.tuples(ROWS, st.floats(0, 9)), max_size=3))),
    )


def past_of(some: list[User]) -> Past:
    return Past(
        np.array([row for one in some for row in one.history], np.int32),
        np.array([flag for one in some for flag in one.liked], np.bool_),
        starts_of([len(one.history) for one in some]),
        np.array([1 + row for one in some for row in one.history], np.int32),
    )


def joined(some: list[User]) -> Block:
    return block_of(
        past_of(some),
        [one.blocked for one in some],
        [one.events for one in some],
        np.array([one.slot for one in some], np.int64),
        empty_dense(),
        np.zeros((1, 1), np.bool_),
        [one.beside for one in some],
    )


def histories(block: Block) -> list[tuple[list[int], list[bool]]]:
    """Those of the block, user by user."""
    return [
        (block.history[start:end].tolist(), block.liked[start:end].tolist())
        for start, end in zip(block.starts[:-1], block.starts[1:], strict=True)
    ]


def targets(rows: list[int]) -> Targets:
    """Events that differ in every column."""
    numbers = np.array(rows, np.int64)
    return Targets(
        numbers.astype(np.int32),
        numbers % 2 == 0,
        numbers % 3 == 0,
        (numbers % 3).astype(np.int8),
        numbers % 5 == 0,
        numbers.astype(np.float32),
        (numbers % 3).astype(np.int8),
    )


@given(st.lists(st.tuples(users(), ROWS), max_size=5))
def test_met_says_whether_the_history_holds_an_item_and_liked(some: list[tuple[User, int]]) -> None:
    met = met_of(past_of([one for one, _ in some]), np.array([row for _, row in some], np.int32))
    for found, (user, row) in zip(met, some, strict=True):
        flags = dict(zip(user.history, user.liked, strict=True))
        assert found == {None: NEW, False: MET, True: MET_LIKED}[flags.get(row)]


@given(st.lists(users(), max_size=5))
def test_users_side_by_side_are_each_what_they_were(some: list[User]) -> None:
    block = joined(some)
    assert histories(block) == [(one.history, one.liked) for one in some]
    assert (block.events.tolist(), block.slot.tolist()) == (
        [one.events for one in some],
        [one.slot for one in some],
    )
    for number, one in enumerate(some):
        blocked = slice(*block.blocked_starts[number : number + 2])
        beside = slice(*block.beside_starts[number : number + 2])
        assert tuple(block.blocked[blocked].tolist()) == one.blocked
        shown = zip(block.beside[beside].tolist(), block.impressions[beside].tolist(), strict=True)
        assert tuple(shown) == one.beside


@given(st.lists(users(), min_size=1, max_size=9), st.integers(1, 10))
def test_however_it_is_cut_the_parts_are_the_whole_in_turn(some: list[User], size: int) -> None:
    block, events = joined(some), targets(list(range(len(some))))
    parts = list(cut(block, events, size))
    assert [len(cut_off.rows) for _, cut_off in parts[:-1]] == [size] * (len(parts) - 1)
    assert [one for part, _ in parts for one in histories(part)] == histories(block)
    for column, whole in enumerate(events):
        np.testing.assert_array_equal(np.concatenate([one[column] for _, one in parts]), whole)


@given(st.lists(st.integers(0, 9), max_size=9))
def test_starts_are_the_running_sums(lengths: list[int]) -> None:
    expected = [sum(lengths[:number]) for number in range(len(lengths) + 1)]
    assert starts_of(lengths).tolist() == expected


@given(st.lists(users(), max_size=4), st.booleans())
def test_how_often_was_taken_and_when_is_asked_are_said_where_they_count(
    some: list[User], again: bool
) -> None:
    past, ats = past_of(some), [100 + number for number in range(len(some))]
    rest = ([()] * len(some), [0] * len(some), np.full(len(some), -1), empty_dense())
    flags = np.zeros((1, 1), np.bool_)
    found = block_of(past, *rest, flags, at=ats, again=again)
    assert found.at.tolist() == ats
    assert found.taken.tolist() == (past.taken.tolist() if again else [0] * len(past.taken))
    assert block_of(past, *rest, flags).at.tolist() == [0] * len(some)
    if some:
        [*parts] = cut(found, targets(list(range(len(some)))), 1)
        assert [one for part, _ in parts for one in part.taken] == found.taken.tolist()


def test_rows_of_several_lengths_stand_side_by_side() -> None:
    rows, worth = padded([[(3, 0.5), (1, 0.25)], []])
    assert (rows.tolist(), worth.tolist()) == ([[3, 1], [-1, -1]], [[0.5, 0.25], [0.0, 0.0]])
