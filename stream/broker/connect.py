"""The settings as kafka-python, the checkpoints and the store want them."""

from __future__ import annotations

from pathlib import Path

from learner.release.folder import ModelsFolder, open_folder
from store import Store, open_store
from stream.chain.privacy import load_or_create_key
from upwell.client import client_options
from upwell.errors import SettingsError
from upwell.settings import Settings

__all__ = ["client_options", "models_folder", "open_settings_store", "pseudonym_key"]


def pseudonym_key(settings: Settings) -> bytes:
    """The pseudonyms' key: from the settings, else the one kept in the data folder. Raises
    `SettingsError`.
    """
    if settings.privacy.key is not None:
        return bytes.fromhex(settings.privacy.key.reveal())
    return load_or_create_key(settings.data / "key")


def models_folder(settings: Settings) -> ModelsFolder:
    """Where checkpoints are: UPWELL_MODELS, else a folder of this machine's data. Raises
    `SettingsError`.
    """
    return open_folder(settings.models or str(settings.data / "models"))


def open_settings_store(
    settings: Settings, dimension: int, patience_seconds: float | None = None
) -> Store:
    """The store of the settings, for vectors of `dimension`. patience_seconds: as of `open_store`.

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
        patience_seconds=patience_seconds,
    )


def _certificates(cafile: str) -> bytes:
    try:
        return Path(cafile).read_bytes()
    except OSError as exc:
        raise SettingsError(
            f"UPWELL_QDRANT_CAFILE is {cafile}: it cannot be read ({exc.strerror}); name a "
            "file in PEM"
        ) from exc
