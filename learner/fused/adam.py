"""AdamW (Loshchilov and Hutter 2019), step by step as torch makes it.

`torch.optim.AdamW` imports torch's compiler, which nothing here uses: 2.4 s of each start and
144 MB of memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["AdamW"]

_EPSILON = 1e-8


class AdamW:
    """weights: by name. rate, betas, decay: as in the paper."""

    def __init__(
        self,
        weights: Mapping[str, nn.Parameter],
        rate: float,
        betas: tuple[float, float],
        decay: float,
    ) -> None:
        self._weights = dict(weights)
        self._rate, self._betas, self._decay = rate, betas, decay
        self._moments: dict[str, tuple[Tensor, Tensor, int]] = {}

    def zero_grad(self) -> None:
        """Before the next backward pass."""
        for weight in self._weights.values():
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Moves each weight that has a gradient."""
        near, far = self._betas
        for name, weight in self._weights.items():
            if weight.grad is None:
                continue
            none = (torch.zeros_like(weight), torch.zeros_like(weight), 0)
            mean, square, steps = self._moments.get(name, none)
            steps += 1
            weight.mul_(1 - self._rate * self._decay)
            mean.lerp_(weight.grad, 1 - near)
            square.mul_(far).addcmul_(weight.grad, weight.grad, value=1 - far)
            deviation = (square.sqrt() / math.sqrt(1 - far**steps)).add_(_EPSILON)
            weight.addcdiv_(mean, deviation, value=-self._rate / (1 - near**steps))
            self._moments[name] = (mean, square, steps)

    def forget(self) -> None:
        """What it remembers of the steps so far."""
        self._moments.clear()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What it remembers, by weight and name of moment."""
        found: dict[str, NDArray[Any]] = {}
        for name, (mean, square, steps) in self._moments.items():
            found[f"{name}.exp_avg"] = mean.cpu().numpy().copy()
            found[f"{name}.exp_avg_sq"] = square.cpu().numpy().copy()
            found[f"{name}.step"] = np.array([steps], np.float32)
        return found

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Remembers the `arrays()` of another one. Raises `RuntimeError` where they do not fit."""
        self._moments = {
            name: (
                _like(weight, arrays[f"{name}.exp_avg"]),
                _like(weight, arrays[f"{name}.exp_avg_sq"]),
                int(arrays[f"{name}.step"].item()),
            )
            for name, weight in self._weights.items()
            if f"{name}.step" in arrays
        }


def _like(weight: nn.Parameter, array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(array)).reshape(weight.shape).to(weight)
