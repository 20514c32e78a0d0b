"""The one place that chooses where users and items are kept.

Each adapter is loaded only when it is the one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from store.port import Store
from upwell.errors import StoreError

__all__ = ["StoreKind", "open_store"]

StoreKind = Literal["memory", "edge", "server"]


def open_store(
    kind: StoreKind,
    *,
    folder: Path,
    dimension: int,
    url: str | None = None,
    api_key: str | None = None,
    grpc_port: int = 6334,
    timeout_seconds: int = 10,
    prefix: str = "upwell",
    root_certificates: bytes | None = None,
    patience_seconds: float | None = None,
) -> Store:
    """Open the store of this worker; raises `StoreError` that says what to mend.

    folder: where `edge` keeps its files. dimension: of the encoder's vectors.
    url, api_key, grpc_port, timeout_seconds, prefix: of the Qdrant server and its two collections,
    for `server` alone. root_certificates: PEM of a private authority that signed its certificate.
    patience_seconds: how long a server that is away is waited for; unset, `store.retry`'s.
    """
    if dimension < 1:
        raise StoreError(f"a store of {dimension} dimensions: give the encoder's, 1 or more")
    if kind == "memory":
        from store.memory import MemoryStore

        return MemoryStore(dimension)
    if kind == "edge":
        from store.edge import open_edge

        return open_edge(folder, dimension)
    if kind == "server":
        from store.retry import Retry
        from store.server import ServerOptions, connect, open_server

        if not url:
            raise StoreError(
                "a server store needs its url, such as http://localhost:6333: set it, or "
                "use the edge store"
            )
        options = ServerOptions(url, api_key, grpc_port, timeout_seconds, root_certificates)
        retry = Retry() if patience_seconds is None else Retry(patience_seconds)
        return open_server(
            connect(options), dimension, where=options.address, prefix=prefix, retry=retry
        )
    raise StoreError(f"no store is called {kind!r}: choose memory, edge or server")
