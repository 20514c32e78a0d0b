"""Messages: a round trip, and bytes of whoever reaches the port."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from learner.federated.message import decode, encode
from upwell.errors import ModelError

JSON = st.dictionaries(st.text(), st.none() | st.integers(-(2**53), 2**53) | st.text())


@given(JSON, st.lists(st.floats(width=32), max_size=5))
def test_what_is_sent_is_what_comes(head: dict[str, object], numbers: list[float]) -> None:
    told, arrays = decode(encode(head, {"x": np.array(numbers, np.float32)}))
    assert told == head
    np.testing.assert_array_equal(arrays["x"], np.array(numbers, np.float32))


@given(st.binary(max_size=200))
def test_other_bytes_are_an_error(data: bytes) -> None:
    with pytest.raises(ModelError):
        decode(data)


@given(st.integers(0, 400))
def test_torn_ones_are_an_error(at: int) -> None:
    data = encode({"a": 1}, {"x": np.arange(30.0)})
    with pytest.raises(ModelError):
        decode(data[: min(at, len(data) - 1)])


def test_another_format_is_named() -> None:
    data = safetensors.numpy.save({}, metadata={"format": "other", "head": "{}"})
    with pytest.raises(ModelError, match=r"'other'.*one version"):
        decode(data)


def test_a_head_that_is_no_object_is_an_error() -> None:
    data = safetensors.numpy.save({}, metadata={"format": "upwell-federation-1", "head": "[]"})
    with pytest.raises(ModelError):
        decode(data)
