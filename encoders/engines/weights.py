"""A converted model's matrices as 8-bit numbers: a quarter of the bytes, and where the processor
multiplies 8 bits with 32-bit sums (VNNI) OpenVINO computes in them.

A layer's matrix has whole numbers from -127 to 127 and one scale for each `TOGETHER` neighbours of
a row (what one output takes of the inputs), a table of words one for each word. It knows nothing
about texts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_WEIGHTS", "TOGETHER", "in_int8", "scaled", "weights_read"]

LEAST_WEIGHTS = 1_024
"""Of a matrix; smaller ones save nothing."""
TOGETHER = 64
"""With 32 products are slower, with 128 or a whole row vectors are further off
(docs/decisions/0045).
"""
_MOST = 127
_PLACES = {"MatMul": 1, "Gather": 0}
"""Of the weights among the inputs of what reads them."""


def scaled(
    weights: NDArray[np.float32], together: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(rows, columns) as numbers (rows, groups, together) and scales (rows, groups, 1): a weight is
    off by at most half a scale. A group of zeros has the scale 1.
    """
    grouped = weights.reshape(len(weights), -1, together)
    scales = np.abs(grouped).max(axis=2, keepdims=True) / np.float32(_MOST)
    scales[scales == 0.0] = 1.0
    return np.rint(grouped / scales).astype(np.int8), scales


def in_int8(model: Any) -> Any:
    """A copy of an `openvino.Model` whose float32 matrices, those that words are looked up in too,
    are 8-bit numbers times their scales. Computed in float32 it gives about the same.
    """
    made = model.clone()
    for constant, readers in weights_read(made):
        weights = constant.get_data()
        for reader in readers:
            node = reader.get_node()
            if node.get_type_name() == "Gather":
                reader.replace_source_output(_rows(weights).output(0))
            elif node.get_attributes()["transpose_b"]:
                reader.replace_source_output(_grouped(weights).output(0))
            else:
                _multiply_turned(node, weights.T)
    made.validate_nodes_and_infer_types()
    return made


def weights_read(model: Any) -> list[tuple[Any, list[Any]]]:
    """Matrices that states are multiplied with or words are looked up in, and the inputs that each
    goes to.
    """
    found = []
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Constant" or node.get_element_type().to_string() != "f32":
            continue
        readers = list(node.output(0).get_target_inputs())
        large = len(node.shape) == 2 and node.shape[0] * node.shape[1] >= LEAST_WEIGHTS
        if large and readers and all(map(_reads_weights, readers)):
            found.append((node, readers))
    return found


def _reads_weights(reader: Any) -> bool:
    return bool(_PLACES.get(reader.get_node().get_type_name()) == reader.get_index())


def _rows(weights: NDArray[np.float32]) -> Any:
    """One scale a row."""
    import openvino.opset15 as operations

    numbers, scales = scaled(weights, weights.shape[1])
    wide = operations.convert(operations.constant(numbers[:, 0]), "f32")
    return operations.multiply(wide, operations.constant(scales[:, 0]))


def _grouped(weights: NDArray[np.float32]) -> Any:
    """One scale for `TOGETHER` of a row, where rows can be cut so."""
    import openvino.opset15 as operations

    rows, columns = weights.shape
    if columns % TOGETHER:
        return _rows(weights)
    numbers, scales = scaled(weights, TOGETHER)
    wide = operations.convert(operations.constant(numbers), "f32")
    product = operations.multiply(wide, operations.constant(scales))
    return operations.reshape(product, operations.constant(np.array([rows, columns])), False)


def _multiply_turned(product: Any, weights: NDArray[np.float32]) -> None:
    """In the place of a product with (in, out) one with (out, in), whose rows are outputs."""
    import openvino.opset15 as operations

    turned = bool(product.get_attributes()["transpose_a"])
    states, made = product.input_value(0), _grouped(np.ascontiguousarray(weights))
    other = operations.matmul(states, made, turned, True)
    for reader in list(product.output(0).get_target_inputs()):
        reader.replace_source_output(other.output(0))
