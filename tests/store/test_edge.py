"""What only the embedded store has: files that outlive the process, a flushing thread."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import qdrant_edge as edge

from store.codec import encode_item, encode_user
from store.edge import EdgeCollection, Flusher, open_edge
from store.schema import Point
from tests.store.states import DIMENSION, item, same_item, same_state, state
from upwell.errors import StoreError

WRITE_FOR_EVER = """
import itertools, sys
from pathlib import Path
from store.edge import open_edge
from tests.store.states import DIMENSION, item, state
store = open_edge(Path(sys.argv[1]), DIMENSION, flush_seconds=3600)
for number in itertools.count(1):
    store.write_users([state(f"user-{number}", number), state("same", number)])
    store.write_items([item(f"item-{number}", number)])
    print(number, flush=True)
"""


def test_reopened_keeps_all(tmp_path: Path) -> None:
    store = open_edge(tmp_path, DIMENSION)
    store.write_users([state("a", 1), state("b", 2), state("gone", 1)])
    store.write_items([item("i", 1), item("j", 2)])
    store.forget_users(["gone"])
    store.close()
    again = open_edge(tmp_path, DIMENSION)
    found = zip(
        again.read_users(["a", "b", "gone"]), [state("a", 1), state("b", 2), None], strict=True
    )
    assert all(same_state(a, b) for a, b in found)
    assert same_item(again.read_items(["j"])[0], item("j", 2))
    assert again.write_users([state("b", 2)]) == ["b"]
    again.close()


def test_kill_9_loses_no_acknowledged_write(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) == 200:
                break
        writer.kill()
        acknowledged = [200, *map(int, writer.stdout.read().split())][-1]
    store = open_edge(tmp_path, DIMENSION)
    found = store.read_users([f"user-{number}" for number in range(1, acknowledged + 1)])
    assert all(
        same_state(value, state(f"user-{number}", number)) for number, value in enumerate(found, 1)
    )
    assert None not in store.read_items([f"item-{number}" for number in range(1, acknowledged + 1)])
    (last,) = store.read_users(["same"])
    assert last is not None
    assert last.sequence >= acknowledged
    store.close()


def test_the_folder_has_one_owner_and_one_dimension(tmp_path: Path) -> None:
    store = open_edge(tmp_path, DIMENSION)
    with pytest.raises(StoreError, match="in use by process"):
        open_edge(tmp_path, DIMENSION)
    store.close()
    with pytest.raises(StoreError, match="4 dimensions, but the encoder gives 8"):
        open_edge(tmp_path, 8)
    open_edge(tmp_path, DIMENSION).close()


def test_a_store_made_when_items_were_searched_still_opens(tmp_path: Path) -> None:
    """It had int8 vectors, four indexes and more payload."""
    open_edge(tmp_path, DIMENSION).close()
    shutil.rmtree(tmp_path / "items")
    (tmp_path / "items").mkdir()
    config = edge.EdgeConfig(
        vectors=edge.EdgeVectorParams(size=DIMENSION, distance=edge.Distance.Dot),
        hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=16, full_scan_threshold=10_000),
        quantization_config=edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, quantile=0.99),
        wal_enabled=True,
    )
    shard = edge.EdgeShard.create(str(tmp_path / "items"), config)
    shard.update(
        edge.UpdateOperation.create_field_index("available", edge.PayloadSchemaType.Integer)
    )
    points = [encode_item(item(f"i{number}", 1), DIMENSION) for number in range(300)]
    shard.update(
        edge.UpdateOperation.upsert_points(
            [
                edge.Point(one.id, one.vector, {**one.payload, "available": 1, "brand": None})  # type: ignore[arg-type]
                for one in points
            ]
        )
    )
    shard.optimize()
    shard.close()
    store = open_edge(tmp_path, DIMENSION)
    assert store.health().items == 300
    assert same_item(store.read_items(["i7"])[0], item("i7", 1))
    assert store.write_items([item("i7", 2), item("i8", 0)]) == ["i8"]
    assert same_item(store.read_items(["i7"])[0], item("i7", 2))
    store.close()


def test_a_full_disk_stops_writes_but_not_reads(tmp_path: Path) -> None:
    free = 0

    def check_room() -> None:
        if free == 0:
            raise StoreError("disk is full")

    config = edge.EdgeConfig(
        vectors=edge.EdgeVectorParams(size=DIMENSION, distance=edge.Distance.Dot)
    )
    collection = EdgeCollection(tmp_path / "c", config, replace_equal=False, check_room=check_room)
    with pytest.raises(StoreError, match="full"):
        collection.upsert([_point("a")])
    assert collection.fetch([_point("a").id]) == []
    free = 1
    assert collection.upsert([_point("a")]) == set()
    collection.close()


def test_a_shard_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("in the way")
    with pytest.raises(StoreError, match="embedded store"):
        open_edge(tmp_path, DIMENSION)
    (tmp_path / "users").unlink()
    open_edge(tmp_path, DIMENSION).close()  # the failed start let go of the folder


def test_a_failed_flush_is_raised_by_the_next_write() -> None:
    failed = threading.Event()

    class Broken:
        def flush(self) -> None:
            failed.set()
            raise StoreError("power is out")

    flusher = Flusher([Broken()], 0.001)  # type: ignore[list-item]
    flusher.check()
    flusher.start()
    assert failed.wait(10)
    flusher.stop()
    with pytest.raises(StoreError, match="power"):
        flusher.check()


def _point(user: str) -> Point:
    return encode_user(state(user, 1), DIMENSION)


class Panic(BaseException):
    """As qdrant-edge's Rust code panics: no `Exception`."""


def test_a_flush_that_panics_is_raised_by_the_next_write_too() -> None:
    class Panicking:
        def flush(self) -> None:
            raise Panic("range end index 8")

    flusher = Flusher([Panicking()], 0.001)  # type: ignore[list-item]
    flusher.start()
    assert flusher._thread is not None
    flusher._thread.join()
    with pytest.raises(StoreError, match="no longer flushed: Panic: range end index 8"):
        flusher.check()
