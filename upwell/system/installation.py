"""Whether the folders that Upwell runs are its own.

Upwell's engine is installed as `gateway`, `stream`, `encoders`, `learner`, `store` and `infra`:
names that another distribution, or a folder where `python` is started, may have too
(docs/decisions/0017).
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from upwell.errors import InstallationError

__all__ = ["FOLDERS", "check_installation"]

FOLDERS = ("gateway", "stream", "encoders", "learner", "store", "infra")
_REMEDY = "install Upwell in a virtual environment of its own (docs/decisions/0017)"


def check_installation() -> None:
    """Raises `InstallationError` where an import of one of `FOLDERS` would find another's, or where
    another distribution wrote over a file of Upwell's. Imports none of them.

    The files of a checkout (an editable installation) are its owner's to change.
    """
    home = Path(__file__).parents[2]
    for name in FOLDERS:
        _check_place(name, home / name)
    try:
        installed = distribution("upwell")
    except PackageNotFoundError:  # run from a checkout
        return
    _check_files(installed)


def _check_place(name: str, own: Path) -> None:
    spec = find_spec(name)
    if spec is None:
        raise InstallationError(f"Upwell's folder {name} is not installed: {_REMEDY}")
    found = Path((spec.submodule_search_locations or [spec.origin or ""])[0])
    if found.resolve() != own.resolve():
        raise InstallationError(
            f"`import {name}` finds {found}, not Upwell's {own}: start it in another folder, or "
            f"{_REMEDY}"
        )


def _check_files(installed: Distribution) -> None:
    for file in installed.files or ():
        if file.parts[0] not in FOLDERS or file.suffix != ".py" or file.hash is None:
            continue
        path = Path(str(file.locate()))
        if not path.is_file() or _digest(path) != file.hash.value:
            raise InstallationError(
                f"{path} is not the file that Upwell installed: another distribution has a folder "
                f"{file.parts[0]} too; {_REMEDY}"
            )


def _digest(path: Path) -> str:
    """As a wheel's RECORD writes it: base64 without its padding."""
    return urlsafe_b64encode(sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
