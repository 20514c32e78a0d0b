"""Whose encoder it is: its name, its licence as its own folder states it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from encoders.folder import find_model
from upwell.errors import EncoderError

__all__ = ["encoder_of", "licence_of"]

_LICENCE = re.compile(r"^license:\s*(.+?)\s*$", re.MULTILINE)


def encoder_of(model: str, revision: str | None) -> dict[str, Any]:
    """model: name or folder, as it is in force. revision: as workers tell it, None where none does.
    The licence is None where nothing states one, or the model is not on this machine.
    """
    try:
        licence = licence_of(find_model(model))
    except EncoderError:
        licence = None
    return {"model": model, "revision": revision, "licence": licence}


def licence_of(folder: Path) -> str | None:
    """What the head of the folder's README.md says."""
    page = folder / "README.md"
    if not page.is_file():
        return None
    text = page.read_text(encoding="utf-8", errors="replace")
    head = text.split("---", 2)[1] if text.startswith("---") and text.count("---") > 1 else ""
    found = _LICENCE.search(head)
    return None if found is None else found[1].strip("'\"")
