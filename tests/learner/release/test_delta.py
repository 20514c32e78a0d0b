"""A delta's bytes."""

from __future__ import annotations

import numpy as np
import pytest

from learner.release.delta import ModelDelta, decode, encode
from upwell.errors import ModelError

DELTA = ModelDelta(
    version="3-x",
    learned=3,
    since={"reviews-0": 1},
    watermark={"reviews-0": 4},
    sources=("reviews-0",),
    items=("ä", "b"),
    arrays={
        "gate.weights": np.arange(6.0).reshape(2, 3),
        "examples.rows": np.array([1, 0], np.int32),
    },
)


def test_decode_is_the_inverse_of_encode() -> None:
    found = decode(encode(DELTA))
    for name in ("version", "learned", "since", "watermark", "sources", "items"):
        assert getattr(found, name) == getattr(DELTA, name)
    assert set(found.arrays) == set(DELTA.arrays)
    for name, array in DELTA.arrays.items():
        assert np.array_equal(found.arrays[name], array)


@pytest.mark.parametrize("cut", [0, 4, 30, -1])
def test_torn_bytes_are_said(cut: int) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        decode(encode(DELTA)[:cut])
