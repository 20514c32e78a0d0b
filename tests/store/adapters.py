"""Opens each adapter for a test.

The server is `UPWELL_TEST_QDRANT_URL`'s; without it, qdrant-client's local mode, and the id says
so.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from store import Store, open_store
from store.server import ServerOptions, connect, open_server
from tests.faults.qdrant_double import QdrantDouble

__all__ = ["ADAPTERS", "LOCAL_MODE_WARNINGS", "SERVER", "opened"]

NAMED_SERVER = os.environ.get("UPWELL_TEST_QDRANT_URL")
SERVER = (
    "server at UPWELL_TEST_QDRANT_URL"
    if NAMED_SERVER
    else "server in qdrant-client's local mode (no UPWELL_TEST_QDRANT_URL)"
)
DOUBLE = "server double over gRPC"
ADAPTERS = ("memory", "edge", SERVER, DOUBLE)

# local mode says that it is not the real thing, which is why it is used here only
LOCAL_MODE_WARNINGS = [
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]


@contextmanager
def opened(adapter: str, dimension: int) -> Iterator[Store]:
    """An empty store, closed and removed afterwards."""
    if adapter == SERVER:
        with _server(dimension) as store:
            yield store
        return
    if adapter == DOUBLE:
        with QdrantDouble() as double:
            doubled = open_server(
                connect(ServerOptions(double.url, grpc_port=double.port)), dimension
            )
            try:
                yield doubled
            finally:
                doubled.close()
        return
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(
            "edge" if adapter == "edge" else "memory",
            folder=Path(folder) / "store",
            dimension=dimension,
        )
        try:
            yield store
        finally:
            store.close()


@contextmanager
def _server(dimension: int) -> Iterator[Store]:
    if NAMED_SERVER is None:
        local = open_server(QdrantClient(":memory:"), dimension)
        try:
            yield local
        finally:
            local.close()
        return
    options = ServerOptions(
        url=NAMED_SERVER,
        api_key=os.environ.get("UPWELL_TEST_QDRANT_API_KEY"),
        grpc_port=int(os.environ.get("UPWELL_TEST_QDRANT_GRPC_PORT", "6334")),
    )
    prefix = f"upwell_test_{uuid.uuid4().hex[:12]}"
    named = open_server(connect(options), dimension, where=options.address, prefix=prefix)
    try:
        yield named
    finally:
        named.close()
        client = connect(options)
        for name in ("users", "items"):
            client.delete_collection(f"{prefix}_{name}")
        client.close()
