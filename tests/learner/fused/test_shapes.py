"""The weights' names and sizes are those of the network that is trained, in its order."""

from __future__ import annotations

import pytest
import torch

from learner.fused.histories import LENGTH
from learner.fused.network import Network
from learner.fused.shapes import weight_shapes


@pytest.mark.parametrize(("dimension", "width", "layers", "heads"), [(5, 8, 1, 2), (384, 64, 3, 4)])
def test_they_are_those_of_the_network(dimension: int, width: int, layers: int, heads: int) -> None:
    network = Network(dimension, width, layers, heads, LENGTH, torch.Generator())
    assert list(weight_shapes(dimension, width, layers, heads).items()) == [
        (name, tuple(weight.shape)) for name, weight in network.named_parameters()
    ]
