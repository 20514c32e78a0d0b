"""Erasures after a restore: who tells of them, what is removed of store and checkpoints, and what
is left of records on their way. With a broker: tests/e2e/erasures/test_forget_again.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.release.users import WINDOWS, digest
from store.edge import open_edge
from stream.broker.erasures.ledger import FILE, newest, read_file, write_file
from stream.chain.effects import Erasure, Forgotten
from stream.chain.fold import empty_state
from stream.chain.merge.guest import Merged
from stream.chain.merge.message import encode_merged
from stream.chain.privacy import Pseudonymizer
from stream.chain.wire import (
    decode_examples,
    encode_erasure,
    encode_examples,
    encode_rerouted,
)
from stream.ops.backup.erasures import Owed, carry_out, owed, save_ledger, still_counts
from tests.stream.ops.access.test_whose import example, value
from upwell.errors import SnapshotError
from upwell.events import Topic
from upwell.settings import Settings

KEY = bytes(range(32))
ANN, BOB = (Pseudonymizer(KEY).pseudonym(user) for user in ("ann", "bob"))
ASKED = Forgotten(ANN, 1_000, "controls-0", 5, 0)
EARLIER = Forgotten(ANN, 400, "controls-0", 2, 0)
DIMENSION = 384


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """A data folder with a key."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "key").write_bytes(KEY)
    return replace(Settings(), data=tmp_path / "data")


def snapshot_of(folder: Path, *entries: Forgotten) -> Path:
    folder.mkdir(parents=True)
    save_ledger(folder, newest(entries))
    return folder


def test_without_a_ledger_newer_than_the_snapshot_nothing_is_restored(
    own: Settings, tmp_path: Path
) -> None:
    taken = snapshot_of(tmp_path / "backup" / "monday", EARLIER)
    with pytest.raises(SnapshotError, match=r"--erasures DATA/erasures\.jsonl`; where it is lost"):
        owed(own, taken, None, same_broker=False)
    assert owed(own, taken, [], same_broker=False) == Owed(newest([EARLIER]), {})


@pytest.mark.parametrize("place", ["given", "its folder", "beside", "data"])
def test_what_is_newer_than_the_snapshot_is_owed_wherever_it_stands(
    own: Settings, tmp_path: Path, place: str
) -> None:
    taken = snapshot_of(tmp_path / "backup" / "monday", EARLIER)
    folder = {"beside": tmp_path / "backup", "data": own.data}.get(place, tmp_path / "old")
    folder.mkdir(exist_ok=True)
    write_file(folder / FILE, newest([ASKED]))
    given = {"given": [folder / FILE], "its folder": [folder]}.get(place)
    assert owed(own, taken, given, same_broker=False) == Owed(newest([ASKED]), newest([ASKED]))
    with pytest.raises(SnapshotError, match="cannot be read"):
        owed(own, taken, [tmp_path / "no"], same_broker=False)


def test_who_was_forgotten_is_in_no_part_of_what_was_restored(own: Settings) -> None:
    began = replace(empty_state(ANN, DIMENSION), events=3, watermark={"clicks-0": 4})
    since = replace(began, watermark={"controls-0": 5, "clicks-0": 9})
    store = open_edge(own.data / "store", DIMENSION)
    store.write_users([began, replace(began, user=BOB)])
    store.close()
    models = LocalFolder(own.data / "models")
    for number, users in enumerate(([BOB], [ANN, BOB, ANN], [BOB, BOB])):
        checkpoint.save_checkpoint(models, buffer_of(users), {"version": f"{number}"})
    due = Owed(newest([ASKED]), newest([ASKED]))
    assert carry_out(own, due) == {"users": 1, "states": 1, "windows": 2, "uses": 0}
    store = open_edge(own.data / "store", DIMENSION)
    ann, bob = store.read_users([ANN, BOB])
    assert ann is None
    assert bob is not None
    store.write_users([since])  # came back after the request
    store.close()
    found = [checkpoint.load(models, one.name) for one in reversed(checkpoint.every(models))]
    assert [meta["version"] for _, meta in found] == ["0", "1", "2"]
    left = [arrays[WINDOWS + "users"].tolist() for arrays, _ in found]
    assert left == [[digest(BOB)], [digest(BOB)], [digest(BOB)] * 2]
    assert len(list((own.data / "models").glob("*.safetensors"))) == 3
    assert read_file(own.data / FILE) == due.whole
    assert carry_out(own, due) == {"users": 1, "states": 0, "windows": 0, "uses": 0}


def buffer_of(users: list[str]) -> dict[str, np.ndarray]:
    """Windows of these users, in this order, the newest of each open."""
    last = {digest(user): place for place, user in enumerate(users)}
    return {
        WINDOWS + "users": np.array([digest(user) for user in users], np.int64),
        WINDOWS + "rows": np.arange(len(users)),
        WINDOWS + "open": np.array([(user, place, 0) for user, place in last.items()], np.int64),
        WINDOWS + "state": np.array([len(users), 0], np.int64),
        "x": np.ones(3),
    }


def test_records_on_their_way_are_sent_without_who_was_forgotten(own: Settings) -> None:
    left = still_counts(own, Owed(newest([ASKED]), newest([ASKED])))
    for topic in (Topic.CLICKS, Topic.CONTROLS):
        assert left(topic, 1_000, value("ann")) is None
        assert left(topic, 1_001, value("ann")) == value("ann"), "came back"
        for other in (value("bob"), b"no JSON", b"[]", b'{"user_id": 7}', b""):
            assert left(topic, 1, other) == other
    assert left(Topic.CONTROLS, 1, value("bob", from_user="ann")) is None
    strayed = encode_rerouted(Topic.CLICKS, value("ann"))
    assert left(Topic.REROUTED, 999, strayed) is None
    assert left(Topic.REROUTED, 1_001, strayed) == strayed
    told = encode_merged(
        Merged(user=BOB, guest=ANN, partition=0, appended_ms=900, whole=True, covers={})
    )
    assert left(Topic.REROUTED, 2_000, told) is None, "what it tells of is older than its record"
    assert left(Topic.CATALOGUE, 1, value("ann")) == value("ann")
    assert left(Topic.CATALOGUE, 1, None) is None


def test_examples_on_their_way_lose_the_users_and_keep_the_others(own: Settings) -> None:
    left = still_counts(own, Owed(newest([ASKED]), newest([ASKED])))
    both = encode_examples([example(ANN), replace(example(BOB), offset=4)])
    kept = left(Topic.EXAMPLES, 1_000, both)
    assert kept is not None
    rows = decode_examples(kept)
    assert not isinstance(rows, Erasure)
    assert [(one.user, one.offset) for one in rows] == [(BOB, 4)]
    [row], wanted = orjson.loads(kept)["examples"], orjson.loads(both)["examples"][1]
    assert row == wanted
    assert left(Topic.EXAMPLES, 1_001, both) == both
    assert left(Topic.EXAMPLES, 1, encode_examples([example(ANN)])) is None
    erasure = encode_erasure(Erasure(ANN, "controls-0", 5, 1))
    assert left(Topic.EXAMPLES, 1, erasure) == erasure


def test_where_nobody_is_owed_anything_records_are_not_even_looked_at(own: Settings) -> None:
    left = still_counts(replace(own, data=own.data / "nowhere"), Owed())
    assert left(Topic.EXAMPLES, 1, b"7") == b"7"
