"""Vectors in a quarter of their bytes: a whole number from -127 to 127 for each coordinate, and one
scale a vector. What two of them have in common differs from what their vectors have by less than
`slack`, nearly always.

It knows nothing about who is compared with whom.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from learner.catalogue.kernel import lent, summing

__all__ = ["SLACK", "Codes", "code", "common", "no_codes", "prefetch"]

_MOST = np.float32(127.0)
_LINE = 64  # bytes that a processor fetches together
SLACK = np.float32(1.25)
"""Times the larger scale: the rounding of two unit vectors (each coordinate by at most half a
scale, evenly) adds up to a normal error of .41 of it, so this is three times that.
"""


class Codes(NamedTuple):
    """numbers: (N, d). scales: (N,) a vector is about its numbers times this."""

    numbers: NDArray[np.int8]
    scales: NDArray[np.float32]


def no_codes(dimension: int) -> Codes:
    """For no vector yet."""
    return Codes(np.zeros((0, dimension), np.int8), np.zeros(0, np.float32))


@lent
def code(vector: NDArray[np.float32], into: NDArray[np.int8]) -> np.float32:
    """Fills `into` (d,) with a vector's numbers; returns its scale, 0 where none is finite."""
    most = np.float32(0.0)
    for column in range(len(vector)):
        size = abs(vector[column])
        if not size <= np.float32(3.0e38):
            into[:] = 0
            return np.float32(0.0)
        most = max(most, size)
    if most == 0.0:
        into[:] = 0
        return np.float32(0.0)
    per = _MOST / most
    for column in range(len(vector)):
        into[column] = np.int8(np.rint(vector[column] * per))
    return np.float32(most / _MOST)


@summing
def common(numbers: NDArray[np.int8], row: int, asked: NDArray[np.int8]) -> np.int32:
    """The product of a row's numbers (N, d) with others (d,). In 32 bits at each step: so compilers
    see that pairs of 8 bits may be multiplied and added at once (pmaddwd).
    """
    total = np.int32(0)
    for column in range(len(asked)):
        product = np.int32(np.int32(numbers[row, column]) * np.int32(asked[column]))
        total = np.int32(total + product)
    return total


def _prefetch(_: Any, array: Any, row: Any) -> Any:

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, number, long = ir.IntType(8).as_pointer(), ir.IntType(32), ir.IntType(64)
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = context.cast(builder, arguments[1], signature.args[1], types.int64)
        start = builder.mul(builder.extract_value(made.strides, 0), place)
        one = ir.Constant(long, signature.args[0].dtype.bitwidth // 8)
        wide = signature.args[0].ndim > 1
        length = builder.mul(one, builder.extract_value(made.shape, 1)) if wide else one
        declare: Any = cgutils.get_or_insert_function
        call = declare(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, number, number, number]),
            "llvm.prefetch.p0i8",
        )
        base = builder.gep(builder.bitcast(made.data, byte), [start])
        told = [ir.Constant(number, value) for value in (0, 3, 1)]  # to read, soon again, data
        with cgutils.for_range_slice(
            builder, ir.Constant(long, 0), length, ir.Constant(long, _LINE)
        ) as (offset, _):
            builder.call(call, [builder.gep(base, [offset]), *told])
        return context.get_dummy_value()

    return types.void(array, row), generate


prefetch: Any = intrinsic(_prefetch)
"""Asks for the memory of array[row], of an array (N,) or (N, d) of numbers, without waiting for it.
A million items are in no cache: a kernel that waits for each of them does little else.
"""
