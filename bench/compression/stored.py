"""What Qdrant's own quantization does to the bytes of a store from which points are only looked up.

    python -m bench.compression.stored [--points N] [--dimension N]

Drawn unit vectors go into the embedded Qdrant as the items of `store.edge` do (no graph), without
and with each kind of quantization that a collection may have, then its optimizer runs, which is
what makes quantized copies. Bytes on disk afterwards, without the log of writes; cosine and
equality of the vectors that are read back. Prints a table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as edge
from rich.console import Console
from rich.table import Table

from bench.results.bench_run import BenchRun
from upwell.values import Vector

AT_ONCE = 1_000


def kinds() -> dict[str, dict[str, Any]]:
    """Of parameters of a collection's vectors."""
    product = edge.ProductQuantizationConfig(edge.CompressionRatio.X16, always_ram=False)
    return {
        "as it is": {},
        "scalar int8": {
            "quantization_config": edge.ScalarQuantizationConfig(
                edge.ScalarType.Int8, always_ram=False
            )
        },
        "product, 16 times": {"quantization_config": product},
        "binary": {"quantization_config": edge.BinaryQuantizationConfig(always_ram=False)},
        "float16 instead": {"datatype": edge.VectorStorageDatatype.Float16},
    }


def stored(folder: Path, vectors: Vector, told: dict[str, Any]) -> dict[str, Any]:
    """Bytes a vector, and what comes back."""
    dimension = vectors.shape[1]
    parameters = edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Dot, **told)
    shard = edge.EdgeShard.create(
        str(folder),
        edge.EdgeConfig(
            vectors=parameters,
            hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=16, full_scan_threshold=10_000),
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=1),
        ),
    )
    ids = [str(uuid.UUID(int=number)) for number in range(len(vectors))]
    for start in range(0, len(ids), AT_ONCE):
        rows = [
            edge.Point(one, vector.tolist(), {"sequence": 1})
            for one, vector in zip(
                ids[start : start + AT_ONCE], vectors[start : start + AT_ONCE], strict=True
            )
        ]
        shard.update(edge.UpdateOperation.upsert_points(rows))
    shard.flush()
    shard.optimize()
    shard.flush()
    found = {str(one.id): one.vector for one in shard.retrieve([*ids], False, True)}
    back = np.array([found[one] for one in ids], np.float32)
    shard.close()
    size = sum(
        file.stat().st_blocks * 512
        for file in folder.rglob("*")
        if file.is_file() and "wal" not in file.relative_to(folder).parts
    )
    lengths = np.linalg.norm(back, axis=1)
    return {
        "bytes_a_vector": round(size / len(vectors)),
        "the_same": bool(np.array_equal(back, vectors)),
        "cosine_min": round(float(((back * vectors).sum(axis=1) / lengths).min()), 6),
    }


def drawn(points: int, dimension: int) -> Vector:
    vectors = np.random.default_rng(7).normal(size=(points, dimension))
    made: Vector = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return made


def main(arguments: Sequence[str] = sys.argv[1:]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--dimension", type=int, default=384)
    told = parser.parse_args(arguments)
    tracked = BenchRun(__file__, told)
    vectors, found = drawn(told.points, told.dimension), {}
    for name, parameters in kinds().items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = stored(Path(folder), vectors, parameters)
    table = Table("quantization", "bytes a vector", "read back the same", "cosine, least")
    for name, figures in found.items():
        table.add_row(name, *(str(one) for one in figures.values()))
    Console(width=100).print(table)
    tracked.tell({"points": told.points, "dimension": told.dimension, **found})


if __name__ == "__main__":
    main()
