"""States to vectors, against plain sums, whatever stands beside a text in its batch."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from encoders.engines.pooling import Pooling
from encoders.engines.recipe import Dense, Recipe

LENGTHS = (1, 3, 5)
STATES = torch.randn((3, 5, 4), generator=torch.Generator().manual_seed(1))
MASK = torch.tensor([[int(place < length) for place in range(5)] for length in LENGTHS])


class Told(torch.nn.Module):
    """A model whose states are given."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(last_hidden_state=STATES)


def plain(pooling: str, states: NDArray[np.float32]) -> NDArray[np.float32]:
    """(L, m) of a text's own words → (m,)."""
    weights = np.arange(1, len(states) + 1)[:, None]
    found: NDArray[np.float32] = {
        "mean": states.mean(axis=0),
        "sum": states.sum(axis=0) / np.sqrt(len(states)),
        "max": states.max(axis=0),
        "first": states[0],
        "last": states[-1],
        "weighted": (states * weights).sum(axis=0) / weights.sum(),
    }[pooling]
    return found


def pooled(recipe: Recipe) -> NDArray[np.float32]:
    with torch.inference_mode():
        vectors: NDArray[np.float32] = Pooling(Told(), recipe)(torch.zeros(3, 5), MASK).numpy()
    return vectors


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return found


@pytest.mark.parametrize("pooling", ["mean", "sum", "max", "first", "last", "weighted"])
def test_words_are_pooled_and_what_fills_up_is_not(pooling: str) -> None:
    expected = [
        plain(pooling, states[:length])
        for states, length in zip(STATES.numpy(), LENGTHS, strict=True)
    ]
    np.testing.assert_allclose(pooled(Recipe(pooling)), unit(np.stack(expected)), atol=1e-6)


@pytest.mark.parametrize("tanh", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_linear_layers_follow(tmp_path: Path, tanh: bool, bias: bool) -> None:
    draw = torch.Generator().manual_seed(2)
    weights = {"linear.weight": torch.randn((3, 4), generator=draw)}
    weights |= {"linear.bias": torch.randn(3, generator=draw)} if bias else {}
    save_file(weights, tmp_path / "model.safetensors")
    recipe = Recipe("sum", (Dense(tmp_path / "model.safetensors", 3, tanh),))
    sums = [plain("sum", one[:n]) for one, n in zip(STATES.numpy(), LENGTHS, strict=True)]
    expected = np.stack(sums) @ weights["linear.weight"].numpy().T
    expected = expected + (weights["linear.bias"].numpy() if bias else 0.0)
    expected = np.tanh(expected) if tanh else expected
    np.testing.assert_allclose(pooled(recipe), unit(expected), atol=1e-5)
