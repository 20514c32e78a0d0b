"""Where checkpoints are kept: a folder of this machine, or any address that fsspec knows
(`s3://bucket/models`). Whole files by name, no more; it knows nothing about what they hold.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from upwell.errors import SettingsError
from upwell.system.files import sync_folder, write_whole

__all__ = ["LocalFolder", "ModelsFolder", "ObjectFolder", "open_folder"]

FILE = "file://"


class ModelsFolder(Protocol):
    """Called by learn, by serve and by the commands; each call blocks. All raise `OSError`.

    address: for messages.
    """

    address: str

    def names(self) -> list[str]:
        """Of all files in it, in any order; none where there is no folder yet."""
        ...

    def read(self, name: str) -> bytes:
        """A whole file."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """The file is there whole or not at all; when it returns, it lasts."""
        ...

    def remove(self, names: Sequence[str]) -> None:
        """In this order; one that is not there is passed over. When it returns, that lasts."""
        ...


class LocalFolder:
    """A folder of this machine's file system: written under another name, brought to the disk, then
    renamed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.address = str(path)

    def names(self) -> list[str]:
        return os.listdir(self._path) if self._path.is_dir() else []

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        write_whole(self._path / name, data)
        sync_folder(self._path)

    def remove(self, names: Sequence[str]) -> None:
        for name in names:
            (self._path / name).unlink(missing_ok=True)
        if self._path.is_dir():
            sync_folder(self._path)


class ObjectFolder:
    """Below an address of fsspec, whose stores write an object whole or not at all.

    Nothing of a listing is kept: another machine writes there too.
    """

    def __init__(self, address: str) -> None:
        import fsspec

        self.address = address.rstrip("/")
        try:
            self._store, root = fsspec.url_to_fs(
                self.address, use_listings_cache=False, skip_instance_cache=True
            )
        except (ImportError, ValueError) as exc:
            raise SettingsError(f"UPWELL_MODELS is {address}: {_mend(address, exc)}") from exc
        self._root = str(root).rstrip("/")

    def names(self) -> list[str]:
        with _as_os_error():
            try:
                found: list[str] = self._store.ls(self._root, detail=False)
            except FileNotFoundError:
                return []
            return [one.rstrip("/").rpartition("/")[2] for one in found]

    def read(self, name: str) -> bytes:
        with _as_os_error():
            return bytes(self._store.cat_file(self._at(name)))

    def write(self, name: str, data: bytes) -> None:
        with _as_os_error():
            try:
                self._store.pipe_file(self._at(name), data)
            except FileNotFoundError:  # one that has folders, not only names
                self._store.makedirs(self._root, exist_ok=True)
                self._store.pipe_file(self._at(name), data)

    def remove(self, names: Sequence[str]) -> None:
        with _as_os_error():
            for name in names:
                try:
                    self._store.rm_file(self._at(name))
                except FileNotFoundError:
                    continue

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"


def open_folder(address: str) -> ModelsFolder:
    """The one place that chooses: a path or `file://` is this machine's, `NAME://` is fsspec's.

    Raises `SettingsError` where fsspec knows none such, or what it needs is not installed.
    """
    local = address.removeprefix(FILE)
    return ObjectFolder(address) if "://" in local else LocalFolder(Path(local))


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Each store raises what its own client raises."""
    try:
        yield
    except OSError:
        raise
    except Exception as exc:
        raise OSError(f"{type(exc).__name__}: {exc}") from exc


def _mend(address: str, exc: Exception) -> str:
    scheme = address.partition("://")[0]
    extras: dict[str, Any] = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
    if isinstance(exc, ImportError):
        said = " ".join(str(exc).split())
        more = f"pip install 'upwell[{extras[scheme]}]'" if scheme in extras else said
        return f"what reads {scheme}:// is not installed: {more}"
    return f"{exc}; a path, file://, s3://, gs:// or another address that fsspec knows"
