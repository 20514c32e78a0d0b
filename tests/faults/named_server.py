"""The Qdrant server that `UPWELL_TEST_QDRANT_URL` names, for rows that may use a real one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from store.server import ServerOptions, connect
from upwell.secret import Secret
from upwell.settings import Settings, StoreSettings

__all__ = ["NAMED_SERVER", "on_named_server"]

NAMED_SERVER = os.environ.get("UPWELL_TEST_QDRANT_URL") or None


@contextmanager
def on_named_server(settings: Settings) -> Iterator[Settings]:
    """The settings with that server; the collections of their prefix are removed at the end."""
    key = os.environ.get("UPWELL_TEST_QDRANT_API_KEY")
    port = int(os.environ.get("UPWELL_TEST_QDRANT_GRPC_PORT", "6334"))
    store = StoreSettings(
        kind="server", url=NAMED_SERVER, api_key=Secret(key) if key else None, grpc_port=port
    )
    try:
        yield replace(settings, store=store)
    finally:
        with closing(connect(ServerOptions(NAMED_SERVER or "", key, port))) as client:
            for name in ("users", "items"):
                client.delete_collection(f"{settings.kafka.prefix.rstrip('.')}_{name}")
