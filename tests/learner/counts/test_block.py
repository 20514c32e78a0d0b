"""Users as flat arrays: what went in comes out again, user by user, however the arrays are cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.block import (
    MET,
    MET_LIKED,
    NEW,
    Block,
    Profile,
    Targets,
    block_of,
    cut,
    profile,
    starts_of,
)
from upwell.values import Interaction

ROWS = st.integers(0, 6)
KINDS = st.sampled_from(["view", "click", "like", "dislike", "unlike", "purchase", "skip"])
RATINGS = st.none() | st.sampled_from([1.0, 3.0, 3.5, 5.0])
PLACED = st.lists(
    st.tuples(ROWS, st.builds(Interaction, st.just("e"), st.just(0), st.just("i"), KINDS, RATINGS)),
    max_size=12,
)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    history = draw(st.lists(ROWS, max_size=5, unique=True))
    liked = draw(st.lists(st.booleans(), min_size=len(history), max_size=len(history)))
    return Profile(
        tuple(history),
        tuple(liked),
        tuple(draw(st.lists(ROWS, max_size=3))),
        draw(st.integers(0, 99)),
        draw(st.integers(-1, 3)),
        tuple(draw(st.lists(st.tuples(ROWS, st.floats(0, 9)), max_size=3))),
    )


def joined(users: list[Profile]) -> Block:
    return block_of(users, np.zeros((1, 1, 0), np.float32), np.zeros((1, 1), np.bool_))


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
    )


@given(PLACED)
def test_a_row_stands_where_it_was_last_met_and_its_newest_opinion_holds(
    placed: list[tuple[int, Interaction]],
) -> None:
    rows, liked = profile(placed)
    assert list(rows) == list(dict.fromkeys(row for row, _ in placed))
    for row, flag in zip(rows, liked, strict=True):
        events = [one for other, one in placed if other == row]
        opinions = [one for one in events if one.opinion]
        expected = opinions[0].liked if opinions else any(one.liked for one in events)
        assert flag == expected


@given(profiles(), ROWS)
def test_met_says_whether_the_history_holds_an_item_and_liked(user: Profile, row: int) -> None:
    flags = dict(zip(user.history, user.liked, strict=True))
    assert user.met(row) == {None: NEW, False: MET, True: MET_LIKED}[flags.get(row)]


@given(st.lists(profiles(), max_size=5))
def test_profiles_side_by_side_are_each_what_they_were(users: list[Profile]) -> None:
    block = joined(users)
    assert histories(block) == [(list(one.history), list(one.liked)) for one in users]
    assert (block.events.tolist(), block.slot.tolist()) == (
        [one.events for one in users],
        [one.slot for one in users],
    )
    for number, one in enumerate(users):
        blocked = slice(*block.blocked_starts[number : number + 2])
        beside = slice(*block.beside_starts[number : number + 2])
        assert tuple(block.blocked[blocked].tolist()) == one.blocked
        shown = zip(block.beside[beside].tolist(), block.impressions[beside].tolist(), strict=True)
        assert tuple(shown) == one.beside


@given(st.lists(profiles(), min_size=1, max_size=9), st.integers(1, 10))
def test_however_it_is_cut_the_parts_are_the_whole_in_turn(users: list[Profile], size: int) -> None:
    block, events = joined(users), targets(list(range(len(users))))
    parts = list(cut(block, events, size))
    assert [len(some.rows) for _, some in parts[:-1]] == [size] * (len(parts) - 1)
    assert [one for part, _ in parts for one in histories(part)] == histories(block)
    for column, whole in enumerate(events):
        np.testing.assert_array_equal(np.concatenate([some[column] for _, some in parts]), whole)


@given(st.lists(st.integers(0, 9), max_size=9))
def test_starts_are_the_running_sums(lengths: list[int]) -> None:
    expected = [sum(lengths[:number]) for number in range(len(lengths) + 1)]
    assert starts_of(lengths).tolist() == expected
