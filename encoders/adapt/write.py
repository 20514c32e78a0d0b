"""A model as a plain folder: weights, and all that its source says of how they are used."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch

__all__ = ["write_model"]

_KEPT = (".json", ".txt", ".model")
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
