"""The settings as Kafka's two clients and the store want them."""

from __future__ import annotations

from pathlib import Path

import faust

from store import Store, open_store
from upwell.client import client_options
from upwell.connection import tls_context
from upwell.errors import SettingsError
from upwell.settings import Settings

__all__ = ["client_options", "faust_broker", "faust_credentials", "open_settings_store"]


def faust_broker(settings: Settings) -> str:
    """The broker's addresses as a Faust URL."""
    return "kafka://" + ";".join((settings.kafka.address or "").split(","))


def faust_credentials(settings: Settings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Who we are, for Faust; None on a plain connection. Raises `SettingsError` where the file of
    authorities cannot be used.
    """
    kafka = settings.kafka
    context = tls_context(kafka)
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            mechanism=kafka.sasl_mechanism,
            username=kafka.sasl_username,
            password=kafka.sasl_password.reveal() if kafka.sasl_password else None,
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context is not None else None


def open_settings_store(settings: Settings, dimension: int) -> Store:
    """The store of the settings, for vectors of `dimension`.

    Raises `StoreError`, `SettingsError` for a file that cannot be read.
    """
    store = settings.store
    return open_store(
        store.kind,
        folder=settings.data / "store",
        dimension=dimension,
        url=store.url,
        api_key=store.api_key.reveal() if store.api_key else None,
        grpc_port=store.grpc_port,
        prefix=settings.kafka.prefix.rstrip(".") or "upwell",
        root_certificates=_certificates(store.cafile) if store.cafile else None,
    )


def _certificates(cafile: str) -> bytes:
    try:
        return Path(cafile).read_bytes()
    except OSError as exc:
        raise SettingsError(
            f"UPWELL_QDRANT_CAFILE is {cafile}: it cannot be read ({exc.strerror}); name a "
            "file in PEM"
        ) from exc
