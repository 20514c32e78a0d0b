from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.hashing import HashingEncoder
from stream.encode.wire import Answer, Asked
from upwell.errors import BrokerError

ANY_TEXT = st.text(st.characters(), max_size=200) | st.text(
    st.characters(categories=("Cs", "Lu")), max_size=20
)
NAMES = st.text(min_size=1, max_size=30)
HEADERS = st.dictionaries(
    st.sampled_from(["v", "encoder", "to", "other"]),
    st.sampled_from([b"", b"1", b"2", b"-1", b"\xff", b"\xed\xa0\x80", b"9" * 30]),
)


@given(ANY_TEXT, NAMES, st.integers(0, 1_000))
def test_a_text_comes_back_as_it_was_also_where_it_is_no_valid_unicode(
    text: str, encoder: str, to: int
) -> None:
    asked = Asked(text, encoder, to)
    assert Asked.read(asked.value, dict(asked.headers)) == asked


@given(st.binary(max_size=30) | st.none(), HEADERS)
def test_what_is_no_text_is_refused_and_nothing_else_is_raised(
    value: bytes | None, headers: dict[str, bytes]
) -> None:
    try:
        read = Asked.read(value, headers)
    except BrokerError as exc:
        assert "set UPWELL_PREFIX" in str(exc)  # noqa: PT017 (both ends are right)
    else:
        assert read.value == value
        assert read.to >= 0


@given(st.text(max_size=40), st.text(max_size=40), NAMES, NAMES)
def test_a_key_is_of_the_text_and_of_its_encoder(one: str, two: str, a: str, b: str) -> None:
    same = (one, a) == (two, b)
    assert (Asked(one, a, 1).key == Asked(two, b, 2).key) is same


@given(st.text(max_size=40), st.integers(1, 64), NAMES)
def test_a_vector_comes_back_to_the_bit(text: str, dimension: int, encoder: str) -> None:
    (vector,) = HashingEncoder(dimension).encode([text])
    answer = Answer(b"k" * 16, encoder, vector)
    read = Answer.read(answer.key, answer.value, dict(answer.headers))
    assert (read.key, read.encoder) == (answer.key, encoder)
    np.testing.assert_array_equal(read.vector, vector)
    assert read.vector.dtype == np.float32


@pytest.mark.parametrize(
    "vector", [[0.0, 0.0], [3.0, 4.0], [np.nan, 0.0], [np.inf, 0.0], [-np.inf, 1.0]]
)
def test_what_is_no_unit_vector_is_no_answer(vector: list[float]) -> None:
    wrong = Answer(b"k", "e", np.array(vector, np.float32))
    with pytest.raises(BrokerError, match="not a vector"):
        Answer.read(wrong.key, wrong.value, dict(wrong.headers))


@given(st.none() | st.binary(max_size=20), st.none() | st.binary(max_size=13), HEADERS)
def test_other_bytes_are_no_answer_and_nothing_else_is_raised(
    key: bytes | None, value: bytes | None, headers: dict[str, bytes]
) -> None:
    try:
        read = Answer.read(key, value, headers)
    except BrokerError:
        return
    assert abs(float(np.linalg.norm(read.vector)) - 1.0) < 0.011
