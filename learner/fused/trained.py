"""The fused model where it is trained: its weights as a network of torch, and histories as tensors.

It knows nothing about optimizers or streams.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner.fused.histories import LENGTH, HistoryBatch, intent_weights
from learner.fused.items import ItemTable
from learner.fused.model import FusedModel
from learner.fused.network import Events, Network, torch_device
from learner.fused.reading import Floats, gap_buckets, rating_buckets
from learner.fused.shapes import HEADS, LAYERS, WIDTH

__all__ = ["TrainedModel"]


class TrainedModel(FusedModel):
    """network: what is trained, begun by `seed`. On a CPU it ranks by the very weights of the
    network, elsewhere by those of the last `write`. Not thread-safe.

    asked: (b, m + 1) the users who were ranked for last.
    """

    def __init__(self, items: ItemTable, seed: int, device: str = "auto") -> None:
        super().__init__(items)
        self.asked = np.zeros((0, self.width), np.float32)
        self.device = torch_device(device)
        generator = torch.Generator().manual_seed(seed)
        self.network = Network(items.dimension, WIDTH, LAYERS, HEADS, LENGTH, generator).to(
            self.device
        )
        self._read_network()

    def _read_network(self) -> None:
        """Where the arrays are the network's own, they stay those."""
        for name, weight in self.network.named_parameters():
            self.weights[name] = weight.detach().cpu().numpy()

    def write(self, rows: NDArray[np.int64], identities: NDArray[np.float32]) -> None:
        self._read_network()
        super().write(rows, identities)

    def user_vectors(self, histories: HistoryBatch) -> NDArray[np.float32]:
        """Those last made are kept in `asked`."""
        self.asked = super().user_vectors(histories)
        return self.asked

    @torch.no_grad()
    def _load(self, weights: Mapping[str, Floats]) -> None:
        for name, weight in self.network.named_parameters():
            weight.copy_(torch.from_numpy(weights[name]))
        self._read_network()

    def tensor(self, array: NDArray[Any]) -> Tensor:
        """On the model's device."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def events(
        self,
        places: NDArray[np.int64],
        kinds: NDArray[np.uint8],
        ratings: NDArray[np.float32],
        ts: NDArray[np.int64],
        lengths: NDArray[np.int64],
    ) -> Events:
        """Histories as the network reads them; `places` are (b, L) in a table of item vectors."""
        here = np.arange(places.shape[1]) < lengths[:, None]
        return Events(
            items=self.tensor(places),
            kinds=self.tensor(np.where(here, kinds, 0).astype(np.int64)),
            ratings=self.tensor(rating_buckets(ratings)),
            gaps=self.tensor(gap_buckets(np.where(here, ts, 0))),
            weights=self.tensor(
                np.where(here, intent_weights(kinds, ratings), 0.0).astype(np.float32)
            ),
        )

    def join(self, states: Tensor, intents: Tensor, lengths: Tensor, wished: Tensor) -> Tensor:
        """(…, m) last states and projected intents, (…) lengths, (…) whether there is an intent →
        (…, m) users.
        """
        some = (lengths > 0).unsqueeze(-1)
        wish = self.network.wishes(intents, lengths) * wished.unsqueeze(-1)
        nothing = ~(some | wished.unsqueeze(-1))
        return (
            torch.where(some, states, 0.0) + wish + torch.where(nothing, self.network.default, 0.0)
        )
