"""A model as a plain folder: weights, and all that its source says of how they are used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from upwell.system.files import write_whole

__all__ = ["note_training", "trained_until", "write_model"]

_KEPT = (".json", ".txt", ".model")
_TRAINED = "adapted.json"
_INDEX = "model.safetensors.index.json"


def write_model(model: torch.nn.Module, source: Path, out: Path) -> None:
    """Tokenizer and configuration (the pooling's too) as in `source`, then the weights: the folder
    is a model once all is there.
    """
    for file in source.rglob("*"):
        below = file.relative_to(source)
        hidden = any(part.startswith(".") for part in below.parts)
        layer = file.suffix == ".safetensors" and file.parent != source  # after the pooling
        kept = layer or (file.suffix in _KEPT and file.name != _INDEX)
        if file.is_file() and kept and not hidden:
            (out / below).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, out / below)
    partial = out / ".partial"
    untyped: Any = model
    untyped.save_pretrained(str(partial))
    mode = (out / "config.json").stat().st_mode  # safetensors lets nobody else read its files
    for file in sorted(partial.glob("model*.safetensors*")):
        file.chmod(mode)
        file.replace(out / file.name)
    shutil.rmtree(partial)


def note_training(folder: Path, until_ms: int) -> None:
    """Of a model that was written: nothing that happened after `until_ms` (UTC ms) decided what it
    is.
    """
    write_whole(folder / _TRAINED, json.dumps({"until": until_ms}).encode())


def trained_until(folder: Path) -> int:
    """UTC ms, 0 where the folder does not say."""
    try:
        return int(json.loads((folder / _TRAINED).read_bytes())["until"])
    except (OSError, ValueError, LookupError, TypeError):
        return 0
