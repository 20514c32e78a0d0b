"""A model and its recipe as one module: token ids in, unit vectors out."""

from __future__ import annotations

import torch
from safetensors.torch import load_file

from encoders.engines.recipe import Dense, Recipe

__all__ = ["Pooling"]


class Pooling(torch.nn.Module):
    """The model's states as one vector of unit length, by a recipe. Texts are filled up behind."""

    def __init__(self, model: torch.nn.Module, recipe: Recipe) -> None:
        super().__init__()
        self.model = model
        self._pooling = recipe.pooling
        self._dense = torch.nn.Sequential(*(_layer(one) for one in recipe.dense))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Both (B, L) int64; (B, d) float32."""
        states = self.model(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state.float()  # (B, L, m)
        pooled = self._dense(self._pooled(states, attention_mask))
        return torch.nn.functional.normalize(pooled, dim=1)

    def _pooled(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(B, L, m), (B, L) → (B, m)."""
        if self._pooling == "first":
            return states[:, 0]
        if self._pooling == "last":
            last = mask.sum(dim=1) - 1  # (B,)
            return states[torch.arange(len(states), device=states.device), last]
        weights = mask.unsqueeze(-1).float()  # (B, L, 1)
        if self._pooling == "max":
            return states.masked_fill(weights == 0.0, -torch.inf).amax(dim=1)
        if self._pooling == "weighted":
            weights = weights * weights.cumsum(dim=1)
        total = weights.sum(dim=1)
        return (states * weights).sum(dim=1) / (total.sqrt() if self._pooling == "sum" else total)


def _layer(dense: Dense) -> torch.nn.Module:
    weights = load_file(dense.weights)
    wide, narrow = weights["linear.weight"].shape
    made = torch.nn.Linear(narrow, wide, bias="linear.bias" in weights).requires_grad_(False)
    made.load_state_dict({name.removeprefix("linear."): one for name, one in weights.items()})
    return torch.nn.Sequential(made, torch.nn.Tanh()) if dense.tanh else made
