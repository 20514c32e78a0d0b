"""A Qdrant server through qdrant-client over gRPC: the store of several workers.

Every write waits until the server has applied it, in batches, with time limits and bounded retries.
It knows points, not users or items. The guard against stale writers is the server's own conditional
upsert, so it holds between processes too.
"""

from __future__ import annotations

import ipaddress
import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from qdrant_client import QdrantClient, models

from store.point_store import PointStore, StoredPoint
from store.retry import Retry
from store.schema import Point
from upwell.errors import StoreError

__all__ = ["ServerCollection", "ServerOptions", "connect", "open_server"]

T = TypeVar("T")

BATCH = 128
RECONNECT: dict[str, Any] = {
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.min_reconnect_backoff_ms": 200,
    "grpc.max_reconnect_backoff_ms": 1_000,
}
"""gRPC's own pauses between connections grow to two minutes: a server that is back would not be
tried.
"""
OLDEST_VERSION = (
    1,
    16,
)  # the first with conditional upserts; an older one ignores the condition in silence


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to reach a server.

    The url's scheme chooses TLS; `root_certificates`: PEM of a private authority.
    """

    url: str
    api_key: str | None = field(default=None, repr=False)
    grpc_port: int = 6334
    timeout_seconds: int = 10
    root_certificates: bytes | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Host and gRPC port for messages: no user, password or key."""
        url = self.url if "//" in self.url else f"//{self.url}"
        return f"{urlsplit(url).hostname}:{self.grpc_port}"


def connect(options: ServerOptions) -> QdrantClient:
    """A client; nothing is asked of the server yet.

    Raises `StoreError` on an url that none can be made from, and where the key would cross a
    network in the clear.
    """
    if options.api_key is not None and not (
        urlsplit(options.url).scheme == "https" or _is_loopback(urlsplit(options.url).hostname)
    ):
        raise StoreError(
            f"the Qdrant api key would go to {options.address} in the clear: give an https "
            "url (UPWELL_QDRANT_URL), or one on this machine"
        )
    certificates = options.root_certificates
    tls: dict[str, Any] = {"root_certificates": certificates} if certificates else {}
    try:
        return QdrantClient(
            url=options.url,
            grpc_port=options.grpc_port,
            prefer_grpc=True,
            api_key=options.api_key,
            timeout=options.timeout_seconds,
            grpc_options=RECONNECT | tls,
            # it asks over REST in a thread of its own; open_server checks over gRPC
            check_compatibility=False,
        )
    except ValueError as exc:
        raise StoreError(
            f"no Qdrant url: {options.address} ({exc}): give one like http://localhost:6333"
        ) from exc


class ServerCollection:
    """One collection.

    Each call is safe to repeat: an upsert carries a mark of its own, by which it knows its points
    again.
    """

    def __init__(
        self, client: QdrantClient, name: str, *, replace_equal: bool, where: str, retry: Retry
    ) -> None:
        self._client = client
        self._name = name
        self._replace_equal = replace_equal
        self._where = where
        self._retry = retry
        self._writer = uuid.uuid4().hex
        self._writes = itertools.count()

    def ensure(self, dimension: int) -> None:
        """Make it where it is missing; `StoreError` where it keeps vectors of another kind."""
        if not self._call("look-up", lambda: self._client.collection_exists(self._name)):
            try:
                self._call("creation", lambda: self._create(dimension))
            except StoreError:  # another worker may have been first
                if not self._call("look-up", lambda: self._client.collection_exists(self._name)):
                    raise
        params = self._call(
            "look-up", lambda: self._client.get_collection(self._name)
        ).config.params.vectors
        if not isinstance(params, models.VectorParams) or params.distance != models.Distance.DOT:
            raise StoreError(
                f"collection {self._name} at {self._where} was not made by Upwell: name "
                "another prefix"
            )
        if params.size != dimension:
            raise StoreError(
                f"collection {self._name} at {self._where} holds vectors of {params.size} "
                "dimensions, but the encoder gives "
                f"{dimension}: use the encoder that made them, or name another prefix and replay"
            )

    def fetch(self, ids: Sequence[str]) -> list[StoredPoint]:
        found: list[StoredPoint] = []
        for batch in _batches(ids, BATCH):
            found += map(
                _stored, self._call("read", partial(self._retrieve, batch, True, vectors=True))
            )
        return found

    def upsert(self, points: Sequence[Point]) -> set[str]:
        refused: set[str] = set()
        for batch in _batches(points, BATCH):
            refused |= self._upsert_batch(batch)
        return refused

    def delete(self, ids: Sequence[str]) -> None:
        for batch in _batches(ids, BATCH):
            selector = models.PointIdsList(points=[*batch])
            self._call("deletion", partial(self._client.delete, self._name, selector, wait=True))

    def count(self) -> int:
        return self._call("count", lambda: self._client.count(self._name, exact=True)).count

    def _create(self, dimension: int) -> None:
        """Points are only looked up: no graph (m=0), vectors and payload on disk."""
        self._client.create_collection(
            self._name,
            vectors_config=models.VectorParams(
                size=dimension, distance=models.Distance.DOT, on_disk=True
            ),
            hnsw_config=models.HnswConfigDiff(m=0),
            on_disk_payload=True,
        )

    def _upsert_batch(self, points: list[Point]) -> set[str]:
        ids = [point.id for point in points]
        before = {str(record.id): record.payload for record in self._sequences(ids)}
        refused = {
            point.id
            for point in points
            if point.id in before and not self._may_replace(point, before[point.id])
        }
        accepted = [point for point in points if point.id not in refused]
        if not accepted:
            return refused
        mark = f"{self._writer}-{next(self._writes)}"
        rows = [
            models.PointStruct(
                id=p.id, vector=p.vector.tolist(), payload={**p.payload, "write": mark}
            )
            for p in accepted
        ]
        guard = models.Filter(should=[self._older(point) for point in accepted])
        self._call(
            "write", lambda: self._client.upsert(self._name, rows, wait=True, update_filter=guard)
        )
        written = {
            str(record.id)
            for record in self._sequences([p.id for p in accepted])
            if _mark(record) == mark
        }
        return refused | {point.id for point in accepted if point.id not in written}

    def _older(self, point: Point) -> models.Filter:
        """The stored point that this one may replace."""
        limit = (
            models.Range(lte=point.sequence)
            if self._replace_equal
            else models.Range(lt=point.sequence)
        )
        below = models.FieldCondition(key="sequence", range=limit)
        return models.Filter(must=[models.HasIdCondition(has_id=[point.id]), below])

    def _may_replace(self, point: Point, stored: dict[str, Any] | None) -> bool:
        sequence = (stored or {})["sequence"]
        return point.sequence > sequence or (self._replace_equal and point.sequence == sequence)

    def _sequences(self, ids: list[str]) -> list[models.Record]:
        return self._call("read", lambda: self._retrieve(ids, ["sequence", "write"], vectors=False))

    def _retrieve(
        self, ids: list[str], payload: bool | list[str], *, vectors: bool
    ) -> list[models.Record]:
        return self._client.retrieve(self._name, ids, with_payload=payload, with_vectors=vectors)

    def _call(self, what: str, action: Callable[[], T]) -> T:
        return self._retry.call(f"{what} of collection {self._name}", self._where, action)


def open_server(
    client: QdrantClient,
    dimension: int,
    *,
    where: str = "the given client",
    prefix: str = "upwell",
    retry: Retry | None = None,
) -> PointStore:
    """The store in the collections `<prefix>_users` and `<prefix>_items`, made where they are
    missing. `close` closes the client.

    `where` is how messages call the server. Raises `StoreError`: no answer, too old, vectors of
    another dimension.
    """
    retry = retry or Retry()
    users = ServerCollection(
        client, f"{prefix}_users", replace_equal=False, where=where, retry=retry
    )
    items = ServerCollection(
        client, f"{prefix}_items", replace_equal=True, where=where, retry=retry
    )
    try:
        _check_version(
            retry.call("greeting of the Qdrant server", where, client.info).version, where
        )
        users.ensure(dimension)
        items.ensure(dimension)
    except StoreError:
        client.close()
        raise
    return PointStore(
        kind="server",
        where=where,
        dimension=dimension,
        users=users,
        items=items,
        close_backend=client.close,
    )


def _is_loopback(host: str | None) -> bool:
    """Whether what is sent there stays on this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _check_version(version: str, where: str) -> None:
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_VERSION:
        raise StoreError(
            f"the Qdrant server at {where} is {version}: stale writes are refused from 1.16 "
            "on, update the server"
        )


def _stored(record: models.Record) -> StoredPoint:
    vector: Any = record.vector
    return StoredPoint(vector, record.payload or {})


def _mark(record: models.Record) -> object:
    return (record.payload or {}).get("write")


def _batches(rows: Sequence[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(rows), size):
        yield list(rows[start : start + size])
