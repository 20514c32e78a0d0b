"""The file: whole calls, a user's rows that go, and what is pruned."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from learner.release.replica import Replica
from stream.explain.evidence import BASE, Evidence, evidence_file, evidence_files
from stream.explain.recorded import RecordedReplica, open_replica
from upwell.errors import StoreError
from upwell.settings import Settings


def rows(*named: tuple[str, str]) -> list[tuple[str, str, bytes, bytes]]:
    return [(list_id, user, b"asked", b"made") for list_id, user in named]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return evidence_file(tmp_path, "serve/ü 0")


def test_it_is_for_its_owner_alone_and_found_whatever_the_workers_name(
    tmp_path: Path, path: Path
) -> None:
    with closing(Evidence(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert evidence_files(tmp_path) == [path]


def test_where_nothing_is_to_be_kept_what_was_kept_goes(tmp_path: Path) -> None:
    own = replace(Settings(), data=tmp_path)
    kept = replace(own, stream=replace(own.stream, explain=1.0))
    replica = open_replica(kept, 8)
    assert isinstance(replica, RecordedReplica)
    assert len(evidence_files(tmp_path)) == 1
    replica.evidence.close()
    assert type(open_replica(own, 8)) is Replica
    assert list((tmp_path / "evidence").iterdir()) == []


def test_another_reads_what_was_kept_while_the_worker_goes_on(path: Path) -> None:
    with closing(Evidence(path)) as worker, closing(Evidence(path)) as reader:
        worker.add(BASE, b"base")
        worker.add("items", b"some")
        worker.add_lists(b"call", 7, rows(("a", "ann"), ("b", "bob")))
        worker.add("items", b"more")
        worker.add_lists(b"call", 8, rows(("a", "ann")))
        newest, first = reader.lists("a")
        assert (newest.at, first.at, first.place) == (8, 7, 0)
        assert [one.list_id for one in reader.of_step(first.step)] == ["a", "b"]
        kinds = [step.kind for step in reader.before(first.step)]
        assert kinds == ["base", "items", "lists"]
        assert reader.newest() == "a"


def test_a_user_goes_up_to_then_and_no_byte_is_left(path: Path) -> None:
    secret = b"what ann did, and only she " * 20
    with closing(Evidence(path)) as evidence:
        evidence.add_lists(b"call", 5, [("a", "ann", secret, secret), *rows(("b", "bob"))])
        evidence.add_lists(b"call", 9, rows(("c", "ann")))
        assert evidence.forget({"ann": 5, "nobody": 9}) == 1
        assert [one.list_id for one in evidence.of_user("ann")] == ["c"]
        assert evidence.lists("b")
        held = b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert b"only she" not in held


def test_pruned_are_old_lists_and_the_beginnings_that_none_needs(path: Path) -> None:
    with closing(Evidence(path)) as evidence:
        for at in (1, 2, 3):
            evidence.add(BASE, b"%d" % at)
            evidence.add_lists(b"call", at, rows((f"l{at}", "ann")))
        evidence.prune(2)
        assert evidence.lists("l1") == []
        [second] = evidence.lists("l2")
        assert next(evidence.before(second.step)).value == b"2"
        evidence.prune(4)
        assert evidence.newest() is None
        evidence.add_lists(b"call", 5, rows(("l5", "ann")))
        [last] = evidence.lists("l5")
        assert next(step.value for step in evidence.before(last.step)) == b"3"


def test_without_its_beginning_nothing_is_told(path: Path) -> None:
    with closing(Evidence(path)) as evidence:
        evidence.add_lists(b"call", 1, rows(("a", "ann")))
        [kept] = evidence.lists("a")
        assert [step.kind for step in evidence.before(kept.step)] == []


def test_a_file_that_is_none_is_a_fault_that_says_what_to_do(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="UPWELL_EXPLAIN=0"):
        Evidence(path)
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version=9")
    with pytest.raises(StoreError, match="another version"):
        Evidence(path)
