"""All that is compared, by name: models that read texts, and ways to keep what the whole one makes
of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.compression.models import Variant, compiled, in_int4, pruned, pruned_bytes
from bench.compression.student import taught
from bench.compression.vectors import Smaller
from encoders.device import choose_placement
from encoders.engines.converted import Converted, converted
from encoders.engines.weights import in_int8
from encoders.folder import find_model
from upwell.values import Vector

__all__ = ["FULL", "HALF", "Turned", "all_models", "encoded", "half_model", "held_out"]

FULL = "float32"
HALF = "half the layers"
CHUNK = 256


class Turned:
    """An encoder whose vectors are kept in fewer bytes, where there is a way; each text is read
    once.
    """

    def __init__(self, variant: Variant, way: Smaller | None, known: dict[str, Vector]) -> None:
        self._variant, self._way, self._known = variant, way, known

    @property
    def dimension(self) -> int:
        return int(self.encode([""]).shape[1])

    @property
    def revision(self) -> str:
        return f"{self._variant.name}/{'' if self._way is None else self._way.name}"

    def encode(self, texts: Sequence[str]) -> Vector:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._variant.encoder.encode(new), strict=True))
        vectors = np.stack([self._known[text] for text in texts])
        return vectors if self._way is None else self._way.turned(vectors)


def all_models(model: str, student: Path, wanted: Collection[str] = ()) -> list[Variant]:
    """Those that are wanted and the whole one in float32, which is the first; of none named all.
    student: the folder of the half model (`half_model`).
    """
    whole = converted(find_model(model), model, None)
    half = converted(student, HALF, None)
    makers: dict[str, Callable[[str], Variant]] = {
        FULL: lambda name: compiled(name, whole, whole.model, "float32"),
        "bfloat16": lambda name: compiled(name, whole, whole.model, "bfloat16"),
        "int8": lambda name: compiled(name, whole, in_int8(whole.model), "int8"),
        "int4, words int8": lambda name: compiled(name, whole, in_int4(whole.model), "int8"),
        **{f"{share:.0%} pruned": partial(_pruned, whole, share) for share in (0.3, 0.5, 0.7)},
        HALF: lambda name: compiled(name, half, half.model, "float32"),
        f"{HALF}, int8": lambda name: compiled(name, half, in_int8(half.model), "int8"),
    }
    if choose_placement("cpu").precision != "bfloat16":
        del makers["bfloat16"]
    return [make(name) for name, make in makers.items() if not wanted or name in {FULL, *wanted}]


def _pruned(whole: Converted, share: float, name: str) -> Variant:
    made = pruned(whole.model, share)
    return compiled(name, whole, made, "float32", pruned_bytes(made))


def held_out(texts: int) -> NDArray[np.bool_]:
    """(texts,) every tenth: the half model is not taught on it."""
    held: NDArray[np.bool_] = np.arange(texts) % 10 == 0
    return held


def half_model(model: str, texts: Sequence[str], rounds: int, seed: int, out: Path) -> None:
    """Taught on the texts that are not held out; `out` is written where it is missing."""
    if out.exists():
        return
    whole = converted(find_model(model), model, None)
    own = [text for text, held in zip(texts, held_out(len(texts)), strict=True) if not held]
    vectors = encoded(compiled(FULL, whole, whole.model, "float32", 0), own)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        taught(model, own, vectors, rounds, seed, Path(folder) / "model")
        (Path(folder) / "model").rename(out)


def encoded(variant: Variant, texts: Sequence[str]) -> Vector:
    """(n, d)."""
    parts = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
    return np.concatenate([variant.encoder.encode(part) for part in parts])
