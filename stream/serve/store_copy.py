"""Copies the embedded store where `upwell snapshot` asks for it, since this process alone may open
it. It knows nothing about what a snapshot is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from upwell.errors import StoreError
from upwell.system.errands import answer_errand

__all__ = ["copy_store_if_asked"]


class Copied(Protocol):
    """A store that lies in files."""

    def copy(self, target: Path) -> None: ...


def copy_store_if_asked(store: Copied, folder: Path) -> bool:
    """Whether something was asked on `folder`. Called between users' batches; writes wait
    meanwhile.

    A copy that fails is the answer, and ends nothing here.
    """

    def copy(asked: Mapping[str, Any]) -> None:
        store.copy(Path(asked["target"]))

    return answer_errand(folder, "store-copy", copy, (StoreError, OSError))
