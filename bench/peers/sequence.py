"""A sequence model that keeps learning, as a peer: a causal transformer over what a user did, with
the items' texts as its input.

As SASRec (Kang, McAuley 2018) with what made it better since: layers normalized before they are
computed, and cross-entropy over the whole catalogue instead of one sampled negative (Petrov,
Macdonald 2023; Klenitskiy, Vasilev 2023). An item goes in as its text's vector, projected, plus a
vector of its own, which begins at nothing; the same sum is what the output is compared with, so
that an item nobody met has a place. After every 32 events it makes a step on 32 windows of 50
events: half of users who just did something, half of any user, by lot. Every event counts, liked or
not, as for the other peers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.peers.baselines import OrPopular, Peer, Scores
from upwell.values import CatalogueItem

__all__ = ["SequenceModel", "sequence_peers"]

LAST = 50
DIMENSIONS = 64
BLOCKS, HEADS, DROPOUT = 2, 2, 0.2
EVERY, BATCH = 32, 32
RATE = 1e-3
SEED = 7


class SequenceModel:
    """vectors: (N, d) of the items' texts, of unit length."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            self._network = _Network(torch.from_numpy(vectors))
        self._optimizer = torch.optim.Adam(self._network.parameters(), RATE)
        self._lot = np.random.default_rng(SEED)
        self._rows: dict[str, list[int]] = defaultdict(list)
        self._users: list[str] = []
        self._recent: list[str] = []
        self._items: Tensor | None = None  # (N, DIMENSIONS) since the last step

    def learn(self, user: str, rows: Sequence[int], row: int) -> None:
        own = self._rows[user]
        own.append(row)
        if len(own) == 2:
            self._users.append(user)
        self._recent.append(user)
        if len(self._recent) == EVERY:
            if self._users:
                self._step()
            self._recent.clear()

    def score(self, user: str, rows: Sequence[int]) -> Scores:
        if not rows or not self._users:
            return np.zeros(len(self._network.texts), np.float32)
        with torch.inference_mode():
            self._network.eval()
            if self._items is None:
                self._items = self._network.items()
            window = torch.tensor([list(rows[-LAST:])])
            found: Scores = (self._network(window, self._items)[0, -1] @ self._items.T).numpy()
        return found

    def _step(self) -> None:
        trained = [user for user in dict.fromkeys(self._recent) if len(self._rows[user]) > 1]
        chosen = trained[: BATCH // 2]
        some = self._lot.integers(len(self._users), size=BATCH - len(chosen))
        inputs, targets = _windows([self._rows[one] for one in chosen + self._named(some)])
        self._network.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self._lot.integers(1 << 31)))
            items = self._network.items()
            states = self._network(inputs, items)[targets >= 0]
            loss = nn.functional.cross_entropy(states @ items.T, targets[targets >= 0])
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._items = None

    def _named(self, numbers: NDArray[np.int64]) -> list[str]:
        return [self._users[number] for number in numbers]


def _windows(histories: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """(B, n) the last events of each but the newest, and what followed each of them; shorter ones
    are filled up at the end, where -1 follows.
    """
    parts = [history[-LAST - 1 :] for history in histories]
    longest = max(map(len, parts)) - 1
    inputs = torch.zeros(len(parts), longest, dtype=torch.int64)
    targets = torch.full((len(parts), longest), -1)
    for place, part in enumerate(parts):
        inputs[place, : len(part) - 1] = torch.tensor(part[:-1])
        targets[place, : len(part) - 1] = torch.tensor(part[1:])
    return inputs, targets


class _Network(nn.Module):
    """texts: (N, d)."""

    def __init__(self, texts: Tensor) -> None:
        super().__init__()
        self.texts = texts
        self.project = nn.Linear(texts.shape[1], DIMENSIONS, bias=False)
        self.own = nn.Embedding(len(texts), DIMENSIONS)
        nn.init.zeros_(self.own.weight)
        self.place = nn.Embedding(LAST, DIMENSIONS)
        nn.init.normal_(self.place.weight, std=0.02)
        layer = nn.TransformerEncoderLayer(
            *(DIMENSIONS, HEADS, 4 * DIMENSIONS, DROPOUT, "gelu"), batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(
            layer, BLOCKS, nn.LayerNorm(DIMENSIONS), enable_nested_tensor=False
        )

    def items(self) -> Tensor:
        """(N, DIMENSIONS)."""
        projected: Tensor = self.project(self.texts) + self.own.weight
        return projected

    def forward(self, rows: Tensor, items: Tensor) -> Tensor:
        """(B, n) rows to (B, n, DIMENSIONS): what comes after each, as it would stand in `items`.

        The places are counted from a window's first event.
        """
        length = rows.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        states = items[rows] * DIMENSIONS**0.5 + self.place.weight[:length]
        found: Tensor = self.blocks(states, mask=mask, is_causal=True)
        return found


def sequence_peers(catalogue: Sequence[CatalogueItem]) -> dict[str, Peer]:
    """It, by name."""
    vectors = np.stack([item.vector for item in catalogue])
    return {"sequence": OrPopular(SequenceModel(vectors), len(vectors))}
