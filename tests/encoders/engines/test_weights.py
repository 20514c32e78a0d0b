"""Weights of 8 bits: each off by at most half a scale, all matrices of any family among them, and
the same vectors as before within what was promised.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from encoders.engines.compiled import LEAST_COSINE, CompiledEncoder, compiled_encoder
from encoders.engines.converted import converted
from encoders.engines.weights import TOGETHER, in_int8, scaled, weights_read
from encoders.folder import DEFAULT_MODEL, find_model
from tests.encoders.tiny import openvino_computes, tiny_writer
from upwell.values import Vector

TEXTS = [
    "",
    "no",
    "hiking boots size 42",
    "Toy Story (1995). Adventure, Animation, Children",
    "Ὀδύσσεια",
    "the quick brown fox " * 100,
    *(f"{'a few words more ' * number}, {number}" for number in range(30)),
]


@given(arrays(np.float32, (3, 8), elements=st.floats(-1e3, 1e3, width=32)), st.sampled_from([2, 8]))
def test_a_weight_is_off_by_half_a_scale_at_most(weights: Vector, together: int) -> None:
    numbers, scales = scaled(weights, together)
    assert numbers.shape == (3, 8 // together, together)
    assert scales.shape == (3, 8 // together, 1)
    off = np.abs(numbers * scales.astype(np.float64) - weights.reshape(numbers.shape))
    assert np.all(off <= 0.5001 * scales)
    assert np.all(np.abs(numbers.astype(int)) <= 127)


@openvino_computes
def test_the_vectors_are_near_those_of_float32_and_the_same_each_time() -> None:
    folder = find_model(DEFAULT_MODEL)
    wanted = compiled_encoder(folder, DEFAULT_MODEL, "float32", 1, None).encode(TEXTS)
    first, second = (compiled_encoder(folder, DEFAULT_MODEL, "int8", 2, None) for _ in range(2))
    found = first.encode(TEXTS)
    assert (found * wanted).sum(axis=1).min() > LEAST_COSINE
    np.testing.assert_array_equal(second.encode(TEXTS), found)
    assert first.revision.endswith("/mean/openvino-int8")


@openvino_computes
def test_a_vector_is_nearly_the_same_whatever_is_encoded_with_it() -> None:
    """A sum's last digit, which depends on the batch, may tip a state to the next of 8 bits."""
    encoder = compiled_encoder(find_model(DEFAULT_MODEL), DEFAULT_MODEL, "int8", 1, None)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert (alone * encoder.encode(TEXTS)).sum(axis=1).min() > 0.999


@openvino_computes
@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
def test_every_matrix_of_any_family_is_made_smaller(tiny: Path, tmp_path: Path, kind: str) -> None:
    """GPT's kind keeps its matrices the other way around."""
    folder = tiny if kind == "bert" else tiny_writer(tmp_path / kind, kind)
    source = converted(folder, kind, None)
    assert weights_read(source.model)
    made = in_int8(source.model)
    assert weights_read(made) == []
    assert floats(made) < 0.1 * floats(source.model)  # scales, norms, biases
    wanted, found = (
        CompiledEncoder(replace(source, model=model), kind, "float32", 1).encode(TEXTS)
        for model in (source.model, made)
    )
    assert (found * wanted).sum(axis=1).min() > 0.999


def floats(model: Any) -> int:
    """Numbers of 32 bits among a model's constants."""
    constants = [one for one in model.get_ordered_ops() if one.get_type_name() == "Constant"]
    kinds = [(one.get_element_type().to_string(), one) for one in constants]
    return sum(int(np.prod(list(one.shape))) for kind, one in kinds if kind == "f32")


def test_rows_that_cannot_be_cut_have_one_scale(tiny: Path) -> None:
    """Of 32 numbers each: fewer than have one scale elsewhere."""
    model = converted(tiny, "tiny", None).model
    assert any(one.shape[1] % TOGETHER for one, _ in weights_read(model))
    assert weights_read(in_int8(model)) == []
