"""A classifier's file: JSON with a version and a checksum over all that it says, no code in it."""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from stream.chain.policy.classifier import Model
from stream.chain.policy.grams import BUCKETS
from upwell.errors import ModelError
from upwell.system.files import write_whole

__all__ = ["VERSION", "read_model", "write_model"]

KIND = "upwell.policy.classifier"
VERSION = 1
"""Of the file and of how a text becomes n-grams: either's change is another version."""


def write_model(path: Path, model: Model) -> None:
    """Whole or not at all; the same model is the same bytes."""
    told = {
        "kind": KIND,
        "version": VERSION,
        "name": model.name,
        "bias": model.bias,
        "threshold": model.threshold,
        "seed": model.seed,
        "examples": dict(model.examples),
        "false_hits": model.false_hits,
        "held_out": dict(model.held_out),
        "weights": base64.b64encode(model.weights.astype("<f4").tobytes()).decode(),
    }
    write_whole(path, orjson.dumps({"sha256": _checksum(told)} | told))


def read_model(path: Path) -> Model:
    """Raises `ModelError` where there is none, it is of another version, or was changed."""
    try:
        told = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as exc:
        raise ModelError(f"{path} cannot be read: {exc}") from exc
    if not isinstance(told, dict) or told.get("kind") != KIND:
        raise ModelError(f"{path} is no classifier: `upwell harm learn` makes one")
    if told.get("version") != VERSION:
        raise ModelError(
            f"{path} is of version {told.get('version')}, this Upwell reads {VERSION}: "
            "learn it anew with `upwell harm learn`"
        )
    if told.pop("sha256", None) != _checksum(told):
        raise ModelError(f"{path} was changed after it was learned: its checksum is another one")
    return _model_of(path, told)


def _checksum(told: dict[str, Any]) -> str:
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _model_of(path: Path, told: dict[str, Any]) -> Model:
    try:
        weights = np.frombuffer(base64.b64decode(told["weights"], validate=True), "<f4")
        model = Model(
            name=told["name"],
            weights=weights.astype(np.float32),
            bias=told["bias"],
            threshold=told["threshold"],
            seed=told["seed"],
            examples=told["examples"],
            false_hits=told["false_hits"],
            held_out=told["held_out"],
        )
    except (KeyError, ValueError, TypeError, binascii.Error) as exc:
        raise ModelError(f"{path} is no whole classifier: {exc!r}") from exc
    if model.weights.shape != (BUCKETS,) or not np.isfinite(model.weights).all():
        raise ModelError(f"{path} is no whole classifier: it has {len(model.weights)} weights")
    return model
