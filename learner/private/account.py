"""The account beside the checkpoints: how many epochs were told, by generation. It only grows, so
that no older checkpoint gives a budget back.

It is written after the checkpoint that holds an epoch and before anyone else hears of it. It knows
nothing about noise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from learner.release.folder import ModelsFolder
from upwell.errors import ModelError

__all__ = ["ACCOUNT", "read_account", "write_account"]

ACCOUNT = "private.account"
_FORMAT = "upwell-private-1"


def read_account(folder: ModelsFolder) -> dict[int, int]:
    """Epochs told, by generation; empty where nothing was. Raises `ModelError`."""
    where = f"{folder.address}/{ACCOUNT}"
    try:
        if ACCOUNT not in folder.names():
            return {}
        found = json.loads(folder.read(ACCOUNT).decode())
        if found["format"] != _FORMAT:
            raise ValueError(f"it is of format {found['format']!r}, not {_FORMAT!r}")
        return {int(one): int(epochs) for one, epochs in found["epochs"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ModelError(
            f"the account {where} of what was spent cannot be read: {exc}; put it back from a "
            "snapshot, or start afresh with another UPWELL_DATA and UPWELL_PREFIX"
        ) from exc


def write_account(folder: ModelsFolder, generations: Mapping[int, int]) -> None:
    """Adds what was told; nothing is taken back. Raises `ModelError`."""
    known = read_account(folder)
    merged = {
        one: max(known.get(one, 0), generations.get(one, 0))
        for one in sorted(known.keys() | generations.keys())
    }
    if merged == known:
        return
    said = {"format": _FORMAT, "epochs": {str(one): epochs for one, epochs in merged.items()}}
    try:
        folder.write(ACCOUNT, json.dumps(said).encode())
    except OSError as exc:
        raise ModelError(
            f"the account {folder.address}/{ACCOUNT} of what was spent cannot be written: "
            f"{exc.strerror or exc}; free space there or set UPWELL_MODELS"
        ) from exc
