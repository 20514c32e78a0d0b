"""Whatever is done to a log between two entries that are there is found, and named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.audit.entry import canonical, digest_of
from stream.chain.audit.verify import Fault, Verifier, missing_ranges
from tests.stream.chain.audit.desk import Board


def written(count: int = 6) -> list[bytes]:
    """Entries of one partition."""
    board = Board(approvals=1)
    for number in range(count):
        board.say("override", item_id=f"i{number}", why="ein Grund, naïve 🦊")
    return [value for _, value in board.audit]


LOG = written()


def looked(
    values: Sequence[bytes | None], heads: Mapping[int, tuple[int, str]] | None = None
) -> tuple[Verifier, list[Fault]]:
    verifier = Verifier()
    for offset, value in enumerate(values):
        verifier.take(0, offset, value)
    return verifier, verifier.faults(heads)


def changed(value: bytes, again: bool, **more: Any) -> bytes:
    told = {**orjson.loads(value), **more}
    return canonical({**told, "digest": digest_of(told)} if again else told)


def kinds(values: Sequence[bytes | None]) -> set[str]:
    return {fault.kind for fault in looked(values)[1]}


def test_a_log_as_it_was_written_has_no_fault_and_its_head_is_told() -> None:
    verifier, faults = looked(LOG)
    assert faults == []
    assert verifier.heads() == {0: (5, orjson.loads(LOG[-1])["digest"])}
    assert verifier.counts() == {"entries": 6, "repeats": 0}


@given(st.lists(st.integers(0, 5), max_size=8))
def test_entries_that_were_published_again_are_the_same_entries(places: list[int]) -> None:
    verifier, faults = looked([*LOG, *(LOG[place] for place in places)])
    assert faults == []
    assert verifier.counts() == {"entries": 6, "repeats": len(places)}


@given(st.integers(0, 5), st.booleans(), st.sampled_from(["why", "who", "outcome", "kind"]))
def test_an_entry_that_was_changed_is_found_also_with_a_digest_made_anew(
    place: int, again: bool, field: str
) -> None:
    values: list[bytes | None] = [*LOG]
    values[place] = changed(LOG[place], again, **{field: "another"})
    if place == 5 and again:  # only who noted the head knows
        assert kinds(values) == set()
        assert [one.kind for one in looked(values, looked(LOG)[0].heads())[1]] == ["changed"]
        return
    found = looked(values)[1]
    assert {one.kind for one in found} == {"changed"}
    assert {one.seq for one in found} <= {place, place + 1}


@given(st.sets(st.integers(0, 4), min_size=1))
def test_what_was_taken_out_is_missing(gone: set[int]) -> None:
    values = [value for place, value in enumerate(LOG) if place not in gone]
    missing = [one for one in looked(values)[1] if one.kind == "missing"]
    assert sum(1 for one in missing) >= 1
    assert {one.seq for one in missing} <= gone


def test_what_was_cut_off_is_known_to_who_noted_the_head() -> None:
    heads = looked(LOG)[0].heads()
    assert kinds(LOG[:4]) == set()
    assert [one.kind for one in looked(LOG[:4], heads)[1]] == ["cut_off"]
    assert [one.kind for one in looked([], heads)[1]] == ["cut_off"]


@given(st.permutations(range(6)))
def test_what_stands_out_of_order_is_said(order: list[int]) -> None:
    found = kinds([LOG[place] for place in order])
    assert found == (set() if order == sorted(order) else {"out_of_order"})


@pytest.mark.parametrize("value", [None, b"", b"{}", b"no", b'{"seq":-1,"prev":"","digest":""}'])
def test_what_is_no_entry_is_said(value: bytes | None) -> None:
    assert kinds([*LOG, value]) == {"unreadable"}


def test_two_entries_of_one_number_are_a_fork() -> None:
    assert kinds([*LOG, changed(LOG[2], True, why="another")]) == {"forked"}


def test_white_space_and_another_order_of_keys_are_a_change() -> None:
    values: list[bytes | None] = [*LOG]
    values[3] = orjson.dumps(orjson.loads(LOG[3]), option=orjson.OPT_INDENT_2)
    assert kinds(values) == {"changed"}


def test_ranges() -> None:
    assert missing_ranges(dict.fromkeys((2, 3, 7), ""), 7) == [(0, 1), (4, 6)]
    assert missing_ranges({}, -1) == []
