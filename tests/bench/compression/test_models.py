"""Smaller models are what their names say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.compression.models import in_int4, pruned, pruned_bytes, size_of
from encoders.engines.compiled import CompiledEncoder
from encoders.engines.converted import converted
from encoders.engines.weights import weights_read
from encoders.folder import DEFAULT_MODEL, find_model
from tests.encoders.tiny import openvino_computes

pytestmark = pytest.mark.slow
TEXTS = ["a film", "Toy Story (1995). Adventure, Animation, Children", "hiking boots " * 20]


@openvino_computes
def test_4_bits_are_told_in_the_right_order() -> None:
    source = converted(find_model(DEFAULT_MODEL), DEFAULT_MODEL, None)
    wanted, found = (
        CompiledEncoder(replace(source, model=model), "m", "float32", 1).encode(TEXTS)
        for model in (source.model, in_int4(source.model))
    )
    assert (found * wanted).sum(axis=1).min() > 0.8
    assert size_of(in_int4(source.model)) < 0.22 * size_of(source.model)


def test_what_is_pruned_is_zero_and_costs_a_bit() -> None:
    model = converted(find_model(DEFAULT_MODEL), DEFAULT_MODEL, None).model
    layers = 6 * (4 * 384 * 384 + 2 * 384 * 1_536)
    made = pruned(model, 0.5)
    zeros = sum(int((one.get_data() == 0.0).sum()) for one, _ in weights_read(made))
    assert abs(zeros / layers - 0.5) < 0.001
    saved = size_of(model) - pruned_bytes(made)
    assert abs(saved / (layers * (0.5 * 4 - 1 / 8)) - 1.0) < 0.01


def test_nothing_is_left_out_of_the_model_that_was_given() -> None:
    model = converted(find_model(DEFAULT_MODEL), DEFAULT_MODEL, None).model
    before = [one.get_data().copy() for one, _ in weights_read(model)]
    for made in (pruned(model, 0.3), in_int4(model)):
        assert made is not model
    for one, was in zip(weights_read(model), before, strict=True):
        np.testing.assert_array_equal(one[0].get_data(), was)
