"""The ledger of erasures: of each user the last request counts, in whatever order entries come; its
file is whole, or said to be none.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.broker.erasures.ledger import (
    FILE,
    later,
    ledger_files,
    newest,
    read_file,
    write_file,
)
from stream.chain.effects import Forgotten
from stream.chain.wire import decode_forgotten, encode_forgotten
from upwell.errors import SnapshotError
from upwell.settings import load_settings

entries = st.builds(
    Forgotten,
    st.sampled_from(["u" * 32, "v" * 32, "ü"]),
    st.integers(0, 2**53),
    st.sampled_from(["controls@1f2e3d4c-0", "rerouted-1"]),
    st.integers(0, 2**40),
    st.integers(0, 9),
)


@given(entries)
def test_an_entry_comes_back_as_it_is(one: Forgotten) -> None:
    assert decode_forgotten(encode_forgotten(one)) == one


@given(st.lists(entries).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_last_request_counts_in_any_order(
    both: tuple[list[Forgotten], list[Forgotten]],
) -> None:
    one, other = (newest(some) for some in both)
    assert {user: entry.order for user, entry in one.items()} == {
        user: entry.order for user, entry in other.items()
    }
    for entry in both[0]:
        assert one[entry.user].order >= entry.order


@given(st.lists(entries), st.lists(entries))
def test_what_is_later_is_what_the_other_lacks(
    first: list[Forgotten], more: list[Forgotten]
) -> None:
    before, whole = newest(first), newest([*first, *more])
    since = later(whole, before)
    assert later(before, whole) == {}
    assert {user: one.order for user, one in (before | since).items()} == {
        user: one.order for user, one in whole.items()
    }


@given(st.lists(entries))
def test_a_file_gives_back_what_was_written(some: list[Forgotten]) -> None:
    with TemporaryDirectory() as folder:
        write_file(Path(folder) / FILE, newest(some))
        assert read_file(Path(folder) / FILE) == newest(some)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b'{"format": "another"}\n',
        b'{"format":"upwell-erasures-1","entries":1}\n{"user": "u"}\n',
        b'{"format":"upwell-erasures-1","entries":1}\n{"user": "u", "appended_ms": "1", '
        b'"source": "s", "offset": 1, "partition": 0}\n',
        b'{"format":"upwell-erasures-1","entries":1}\n{"user": "u", "appen',
        b'{"format":"upwell-erasures-1","entries":1}\n[]\n',
        b"\xff\xfe\n",
        b'{"format":"upwell-erasures-1","entries":1}\n',
        b'{"format":"upwell-erasures-1"}\n',
        b"[]\n",
    ],
)
def test_what_is_no_ledger_or_torn_is_said(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / FILE).write_bytes(raw)
    with pytest.raises(SnapshotError, match=r"erasures\.jsonl is (no|a torn) ledger"):
        read_file(tmp_path / FILE)


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="cannot be read: No such file"):
        read_file(tmp_path / FILE)
    with pytest.raises(SnapshotError, match="cannot be written: No such file"):
        write_file(tmp_path / "none" / FILE, {})


def test_copies_lie_in_the_data_folder_and_beside_scheduled_snapshots(tmp_path: Path) -> None:
    own = {"UPWELL_DATA": str(tmp_path / "data")}
    assert ledger_files(load_settings(own)) == (tmp_path / "data" / FILE,)
    beside = {**own, "UPWELL_SNAPSHOT_FOLDER": str(tmp_path / "backup")}
    assert ledger_files(load_settings(beside))[1] == tmp_path / "backup" / FILE
