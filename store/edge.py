"""Qdrant inside this process (qdrant-edge): the default store of one worker, with no server to run.

Two shards in one folder, without HNSW graphs: points are only looked up. It knows points, not users
or items. qdrant-edge holds the GIL in every call.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import qdrant_edge as edge

from store.folder import MIN_FREE_BYTES, StoreFolder
from store.point_store import PointStore, StoredPoint
from store.schema import Point
from upwell.errors import StoreError
from upwell.system.threads import start_thread
from upwell.values import Vector

__all__ = ["EdgeCollection", "open_edge"]


class EdgeCollection:
    """One shard. A lock lets one thread in at a time, and this process is the only one
    (`StoreFolder`): so reading the stored
    sequences and then writing is atomic, and cheaper than the conditional upsert that would not say
    whom it refused.

    `check_room` is called before each write.
    """

    def __init__(
        self,
        path: Path,
        config: edge.EdgeConfig,
        *,
        replace_equal: bool,
        check_room: Callable[[], None],
    ) -> None:
        self._path = path
        self._replace_equal = replace_equal
        self._check_room = check_room
        self._lock = threading.RLock()
        self._dirty = False
        with self._translated():
            if (path / "edge_config.json").exists():
                self._shard = edge.EdgeShard.load(str(path))
            else:
                path.mkdir(exist_ok=True)
                self._shard = edge.EdgeShard.create(str(path), config)

    def fetch(self, ids: Sequence[str]) -> list[StoredPoint]:
        if not ids:
            return []
        with self._translated():
            return [_stored(record) for record in self._shard.retrieve(list(ids), True, True)]

    def upsert(self, points: Sequence[Point]) -> set[str]:
        if not points:
            return set()
        self._check_room()
        with self._translated():
            stored = {
                str(record.id): record.payload["sequence"]
                for record in self._shard.retrieve(
                    [point.id for point in points], ["sequence"], False
                )
                if record.payload is not None
            }
            refused = {
                point.id
                for point in points
                if point.id in stored and not self._may_replace(point, stored[point.id])
            }
            accepted = [point for point in points if point.id not in refused]
            if accepted:
                self._dirty = True
                rows = [
                    edge.Point(point.id, _edge_vector(point.vector), point.payload)
                    for point in accepted
                ]
                self._shard.update(edge.UpdateOperation.upsert_points(rows))
            return refused

    def delete(self, ids: Sequence[str]) -> None:
        """Gone for every reader, at once and after a restart.

        Old bytes stay in the log and in freed blocks until they are reused.
        """
        if not ids:
            return
        with self._translated():
            self._shard.update(edge.UpdateOperation.delete_points(list(ids)))
            self._shard.flush()

    def count(self) -> int:
        with self._translated():
            return self._shard.count(edge.CountRequest())

    def flush(self) -> None:
        """Bring what was written since the last flush to the disk: kill -9 loses nothing without
        it, a power cut would.
        """
        with self._translated():
            if self._dirty:
                self._dirty = False
                self._shard.flush()

    def copy(self, target: Path) -> None:
        """As it is now, to the new folder `target`; reads and writes wait meanwhile. Raises
        `OSError` where that cannot be written.
        """
        with self._lock:
            with self._translated():
                self._shard.flush()
            shutil.copytree(self._path, target)

    def close(self) -> None:
        with self._translated():
            self._shard.flush()
            self._shard.close()

    def _may_replace(self, point: Point, stored: int) -> bool:
        return point.sequence > stored or (self._replace_equal and point.sequence == stored)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except StoreError:
                raise
            except Exception as exc:  # qdrant-edge raises plain Exception
                raise StoreError(f"embedded store {self._path}: {exc}") from exc


class Flusher:
    """A thread that flushes every `seconds`.

    A failed flush is raised by the next write (`check`), not lost in the thread.
    """

    def __init__(self, collections: Sequence[EdgeCollection], seconds: float) -> None:
        self._collections = collections
        self._seconds = seconds
        self._stop = threading.Event()
        self._fault: BaseException | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = start_thread("store-flush", self._run, self._failed)

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def check(self) -> None:
        """Raise what the thread failed by."""
        if isinstance(self._fault, StoreError):
            raise self._fault
        if self._fault is not None:
            why = f"{type(self._fault).__name__}: {self._fault}"
            raise StoreError(f"the embedded store is no longer flushed: {why}") from self._fault

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            for collection in self._collections:
                collection.flush()

    def _failed(self, exc: BaseException) -> None:
        self._fault = exc


def open_edge(
    path: Path, dimension: int, *, flush_seconds: float = 1.0, min_free_bytes: int = MIN_FREE_BYTES
) -> PointStore:
    """Open or make the embedded store in `path`. Raises `StoreError`: folder in use, unwritable or
    full, other dimension.

    A write survives kill -9 when its call returns, and a power cut after the next flush.
    """
    folder = StoreFolder(path, dimension, min_free_bytes=min_free_bytes)
    collections: list[EdgeCollection] = []
    flusher = Flusher(collections, flush_seconds)

    def check_write() -> None:
        flusher.check()
        folder.check_room()

    def close() -> None:
        flusher.stop()
        try:
            for collection in collections:
                collection.close()
        finally:
            folder.close()

    def copy(target: Path) -> None:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for collection, name in zip(collections, ("users", "items"), strict=True):
            collection.copy(target / name)
        shutil.copy2(path / "store.json", target / "store.json")

    try:
        users = EdgeCollection(
            path / "users",
            _config(dimension),
            replace_equal=False,
            check_room=check_write,
        )
        collections.append(users)
        items = EdgeCollection(
            path / "items",
            _config(dimension),
            replace_equal=True,
            check_room=check_write,
        )
        collections.append(items)
    except StoreError:
        close()
        raise
    flusher.start()
    return PointStore(
        kind="edge",
        where=str(path),
        dimension=dimension,
        users=users,
        items=items,
        close_backend=close,
        copy_backend=copy,
    )


def _config(dimension: int) -> edge.EdgeConfig:
    """Dot product, since an intent may be zero; m=0: no graph is ever built."""
    return edge.EdgeConfig(
        vectors=edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Dot),
        hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=16, full_scan_threshold=10_000),
        wal_enabled=True,
    )


def _edge_vector(vector: Vector) -> Any:
    """The array itself: qdrant-edge reads it without making a list, though its type hints ask for
    one.
    """
    return vector


def _stored(record: edge.Record) -> StoredPoint:
    vector: Any = record.vector
    return StoredPoint(vector, record.payload or {})
