"""Partitions are read as they grew side by side, and who was forgotten behind what is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stream.chain.effects import Erasure
from stream.chain.wire import encode_erasure
from stream.learn.afresh.retained import Erased, in_order
from tests.stream.learn.afresh.topic import Kept, Taken, Topic, topic_of

LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=4)


def kept(topic: dict[int, list[int]], first: int = 0) -> Any:
    """(partition, first) -> its records, of which those before `first` are gone."""

    def read(partition: int, start: int) -> Iterator[Kept]:
        for offset, at in list(enumerate(topic[partition]))[max(first, start) :]:
            yield Kept(partition, offset, at, b"")

    return read


def places(read: Any, starts: dict[int, int], ends: dict[int, int]) -> list[tuple[int, int]]:
    found = in_order(read, starts, ends)
    return [(one.partition, one.offset) for one in found if one is not None]


@given(st.lists(st.lists(st.integers(0, 99), max_size=9).map(sorted), min_size=1, max_size=4))
def test_of_partitions_the_one_that_was_appended_earlier_comes_first(
    times: list[list[int]],
) -> None:
    topic = dict(enumerate(times))
    ends = {one: len(there) for one, there in topic.items()}
    wanted = sorted(
        (at, number, offset) for number, there in topic.items() for offset, at in enumerate(there)
    )
    assert places(kept(topic), {}, ends) == [(number, offset) for _, number, offset in wanted]


@given(st.lists(st.lists(st.integers(0, 9), max_size=9), min_size=1, max_size=4), st.data())
def test_in_whatever_rounds_each_record_comes_once_and_in_its_partition_s_order(
    times: list[list[int]], data: st.DataObject
) -> None:
    """Clocks of brokers may go back."""
    topic = dict(enumerate(times))
    ends = {one: len(there) for one, there in topic.items()}
    middle = {one: data.draw(st.integers(0, end)) for one, end in ends.items()}
    found = places(kept(topic), {}, middle) + places(kept(topic), middle, ends)
    assert sorted(found) == [(one, offset) for one, end in ends.items() for offset in range(end)]
    for number in topic:
        own = [offset for one, offset in found if one == number]
        assert own == sorted(own)


def test_what_is_gone_from_the_topic_and_what_came_behind_the_end_is_passed_over() -> None:
    assert places(kept({0: [1, 2, 3], 1: []}, first=1), {}, {0: 2, 1: 5}) == [(0, 1)]


def test_before_an_erasure_counts_the_last_one_of_the_same_partition() -> None:
    erased = Erased({})
    for offset in (3, 7):
        value = encode_erasure(Erasure("ü", "controls-1", 0, 1))
        erased.take(Kept(1, offset, 0, value))
    assert [erased.before(1, at, "ü") for at in (0, 3, 6, 7, 8)] == [True, True, True, False, False]
    assert not erased.before(0, 0, "ü")
    assert not erased.before(1, 0, "u")
    assert (erased.knows(1, 7, "ü"), erased.knows(1, 8, "ü")) == (True, False)


def test_reach_counts_each_example_once_and_none_behind_where_the_learner_stands() -> None:
    topic: Topic = topic_of([Taken(0, 1), Taken(0, 2), Taken(1, 1), Taken(0, 3)], together=1)
    again = topic.records[0][0]
    erased = Erased({0: 2, 1: 1})
    for one in (*topic.records[0][:2], again, topic.records[0][2], *topic.records[1]):
        erased.take(one)
    assert erased.reach == 3
