"""The bench of the encoder: what it counts as work, and the texts that it draws."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.speed.encode import LONG, long_texts, products_a_token
from encoders.device import Placement
from encoders.folder import DEFAULT_MODEL, find_model
from encoders.transformer import TransformerEncoder


def test_the_operations_are_those_that_torch_counts() -> None:
    placement = Placement("cpu", "float32")
    encoder = TransformerEncoder(find_model(DEFAULT_MODEL), DEFAULT_MODEL, placement)
    ids = torch.ones((2, 50), dtype=torch.long)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        encoder.pooled(ids, ids)
    own = products_a_token(DEFAULT_MODEL, 50) * 100
    assert abs(counter.get_total_flops() - own) / own < 0.05


def test_long_texts_are_drawn_by_the_seed_and_as_long_as_they_should_be() -> None:
    texts = long_texts(DEFAULT_MODEL, 50, 7)
    assert texts == long_texts(DEFAULT_MODEL, 50, 7)
    assert texts != long_texts(DEFAULT_MODEL, 50, 8)
    lengths = [len(text.split()) for text in texts]
    assert LONG[0] <= min(lengths) < max(lengths) <= LONG[1]
