"""The same model in fewer bytes, compiled by OpenVINO: weights of 8 and 4 bits, weights left out.

A variant keeps the tokenizer and all else. Those that are only measured are made here; 8 bits are
the engine's own (`encoders.engines.weights`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.engines.compiled import CompiledEncoder
from encoders.engines.converted import Converted, openvino_alone
from encoders.engines.weights import TOGETHER, in_int8, weights_read

__all__ = ["Variant", "compiled", "in_int4", "pruned", "pruned_bytes", "size_of"]

FOUR_BITS = 7
Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Variant:
    """bytes: on disk, without the tokenizer."""

    name: str
    bytes: int
    encoder: CompiledEncoder


def compiled(
    name: str, source: Converted, model: Any, precision: str, bytes_: int | None = None
) -> Variant:
    """One stream of one thread."""
    size = size_of(model) if bytes_ is None else bytes_
    return Variant(name, size, CompiledEncoder(replace(source, model=model), name, precision, 1))


def size_of(model: Any) -> int:
    """Bytes of an `openvino.Model` as the engine keeps it."""
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "model.xml"
        openvino_alone().save_model(model, graph, compress_to_fp16=False)
        return sum(file.stat().st_size for file in Path(folder).iterdir())


def in_int4(model: Any) -> Any:
    """Layers of 4 bits, `TOGETHER` neighbours of a row with one scale; the words' vectors of 8."""
    import openvino.opset15 as operations

    def narrowed(weights: Weights) -> Any:
        rows, columns = weights.shape
        grouped = weights.reshape(rows, columns // TOGETHER, TOGETHER)
        scales = np.abs(grouped).max(axis=2, keepdims=True) / np.float32(FOUR_BITS)
        scales[scales == 0.0] = 1.0
        numbers = np.clip(np.rint(grouped / scales), -8, 7).astype(np.int8)
        narrow = _nibbles(numbers)
        wide = operations.multiply(operations.convert(narrow, "f32"), operations.constant(scales))
        return operations.reshape(wide, operations.constant(np.array([rows, columns])), False)

    return in_int8(_replaced(model, narrowed))


def pruned(model: Any, share: float) -> Any:
    """Of each layer's matrix the `share` of weights that are nearest to zero are zero."""
    import openvino.opset15 as operations

    def thinned(weights: Weights) -> Any:
        least = np.quantile(np.abs(weights), share)
        return operations.constant(np.where(np.abs(weights) < least, np.float32(0.0), weights))

    return _replaced(model, thinned)


def pruned_bytes(model: Any) -> int:
    """Of a pruned one stored sparse: a bit a weight, and four bytes of each that is left."""
    saved = 0
    for constant, _ in _layers(model):
        weights = constant.get_data()
        saved += int((weights == 0.0).sum()) * 4 - weights.size // 8
    return size_of(model) - saved


def _replaced(model: Any, by: Callable[[Weights], Any]) -> Any:
    made = model.clone()
    for constant, readers in _layers(made):
        other = by(constant.get_data())
        for reader in readers:
            reader.replace_source_output(other.output(0))
    made.validate_nodes_and_infer_types()
    return made


def _layers(model: Any) -> list[tuple[Any, list[Any]]]:
    """Matrices that states are multiplied with, and who reads them."""
    return [
        (constant, readers)
        for constant, readers in weights_read(model)
        if all(one.get_node().get_type_name() == "MatMul" for one in readers)
    ]


def _nibbles(numbers: NDArray[np.int8]) -> Any:
    """A constant of 4 bits, two numbers a byte, the first in the lower half."""
    openvino = openvino_alone()
    flat = numbers.reshape(-1)
    packed = (flat[0::2] & 15) | ((flat[1::2] & 15) << 4)
    tensor = openvino.Tensor(openvino.Type.i4, openvino.Shape(numbers.shape))
    tensor.data.reshape(-1)[:] = packed
    return openvino.op.Constant(tensor)
