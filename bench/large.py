"""Of a learner with a large catalogue: vectors for it, what a search of them finds, and what all
that is learned weighs.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.nearest.walk import search
from learner.release.checkpoint import save_checkpoint
from learner.release.delta import encode
from learner.release.folder import open_folder
from learner.training.learner import Learner
from upwell.values import Vector

__all__ = ["RandomEncoder", "checkpoint", "recall"]

DIMENSION = 384
SPREAD, NOISE = 12, np.float32(0.1)
ASKED = 200


class RandomEncoder:
    """A unit vector a text, always the same; like those of texts they vary in few directions most,
    and a little in all.
    """

    dimension = DIMENSION
    revision = "random"

    def __init__(self) -> None:
        draw = np.random.default_rng(SPREAD)
        self._spread = draw.standard_normal((SPREAD, DIMENSION), dtype=np.float32)
        self._spread /= np.sqrt(np.float32(SPREAD))

    def encode(self, texts: Sequence[str]) -> Vector:
        vectors = np.empty((len(texts), DIMENSION), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            draw = np.random.default_rng(zlib.crc32(text.encode()))
            draw.standard_normal(DIMENSION, dtype=np.float32, out=vector)
            vector *= NOISE
            vector += draw.standard_normal(SPREAD, dtype=np.float32) @ self._spread
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def recall(learner: Learner, encoder: RandomEncoder, seed: int) -> dict[str, float]:
    """Shares of what all products with all items give; nothing is lost where those are made."""
    catalogue = learner.ranking.catalogue
    graph, rows = catalogue.graph, len(catalogue)
    vectors = graph.vectors[:rows]
    drawn = np.random.default_rng(seed).choice(rows, ASKED, replace=False)
    asked = encoder.encode([f"asked {number}" for number in range(ASKED)])
    lists = [graph.state.ids[row, : graph.state.sizes[row]] for row in drawn]
    found = [_best(vectors, one, 100) for one in asked]
    if graph.large:
        for one, out in zip(asked, found, strict=True):
            nobody = np.zeros(0, np.int32)
            search(graph.steps, graph.trail, one, nobody, catalogue.allowed, nobody, out)
    nearest = [_best(vectors, vectors[row], 21)[1:] for row in drawn]
    return {
        "recall_100": _shared(found, [_best(vectors, one, 100) for one in asked]),
        "neighbours_recall_20": _shared([one[:20] for one in lists], nearest),
    }


def _best(vectors: Vector, one: Vector, most: int) -> NDArray[np.int32]:
    return np.argsort(-(vectors @ one), kind="stable")[:most].astype(np.int32)


def _shared(found: Sequence[NDArray[np.int32]], best: Sequence[NDArray[np.int32]]) -> float:
    pairs = zip(found, best, strict=True)
    return float(np.mean([len(np.intersect1d(one, other)) / len(other) for one, other in pairs]))


def checkpoint(learner: Learner) -> dict[str, float]:
    """All that is learned as one, and what was learned since the beginning as a delta."""
    started = time.perf_counter()
    delta = len(encode(learner.take_delta()))
    delta_s = time.perf_counter() - started
    with TemporaryDirectory(prefix="upwell-scale-") as folder:
        started = time.perf_counter()
        arrays, meta = learner.arrays(), {"learner": learner.meta()}
        save_checkpoint(open_folder(folder), arrays, meta)
        saved_s = time.perf_counter() - started
        written = sum(path.stat().st_size for path in Path(folder).iterdir())
    return {
        "checkpoint_mb": written / 1e6,
        "checkpoint_s": saved_s,
        "delta_mb": delta / 1e6,
        "delta_s": delta_s,
    }
