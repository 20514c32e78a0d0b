"""The weights of the fused model as one torch module: text projection, a small causal transformer,
the intent joined to it.

It works on a table of item vectors that it is handed; It knows nothing about catalogues, identity
embeddings or optimizers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from learner.fused.shapes import GAPS, KINDS, RATINGS

__all__ = ["Events", "Network", "torch_device"]


@dataclass(frozen=True, slots=True)
class Events:
    """A batch of histories, padded on the right. items: (B, L) places in the table of item vectors.
    kinds: (B, L).

    ratings, gaps: (B, L) buckets. weights: (B, L) float, each event's signed share in the intent, 0
    where padded.
    """

    items: Tensor
    kinds: Tensor
    ratings: Tensor
    gaps: Tensor
    weights: Tensor


def torch_device(name: str = "auto") -> torch.device:
    """`auto` is CUDA where there is one. The one place that chooses."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


class _Layer(nn.Module):
    """Causal self-attention with a learned bias for each distance, then a feed-forward network;
    both after a layer norm.
    """

    def __init__(self, width: int, heads: int, longest: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.before_feed = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.joined = nn.Linear(width, width, bias=False)
        self.feed = nn.Linear(width, 2 * width)
        self.back = nn.Linear(2 * width, width)
        self.distance = nn.Parameter(torch.zeros(heads, longest))

    def forward(self, x: Tensor, distances: Tensor, future: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = (
            self.qkv(self.before_attention(x))
            .view(batch, length, 3, self.heads, -1)
            .permute(2, 0, 3, 1, 4)
        )  # each (B, H, L, m/H)
        bias = self.distance[:, distances].masked_fill(future, -math.inf)  # (H, L, L)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.unsqueeze(0))
        x = x + self.joined(seen.transpose(1, 2).reshape(batch, length, width))
        return torch.as_tensor(x + self.back(F.gelu(self.feed(self.before_feed(x)))))


class Network(nn.Module):
    """d: dimension of text and intent. m: width. `longest`: the most events of a history that are
    read.
    """

    def __init__(
        self,
        dimension: int,
        width: int,
        layers: int,
        heads: int,
        longest: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.project = nn.Parameter(torch.empty(dimension, width))
        self.half_trust = nn.Parameter(torch.tensor([math.log(math.expm1(5.0))]))
        self.kind = nn.Parameter(torch.zeros(KINDS, width))
        self.rating = nn.Parameter(torch.zeros(RATINGS, width))
        self.gap = nn.Parameter(torch.zeros(GAPS, width))
        self.layers = nn.ModuleList([_Layer(width, heads, longest) for _ in range(layers)])
        self.last = nn.LayerNorm(width)
        self.default = nn.Parameter(torch.zeros(width))
        self.wish = nn.Parameter(torch.eye(width))
        self.wish_gate = nn.Parameter(torch.tensor([1.0, -0.5]))
        self.popular = nn.Parameter(torch.zeros(1))
        self._initialize(generator)

    @torch.no_grad()
    def _initialize(self, generator: torch.Generator) -> None:
        width = self.project.shape[1]
        self.project.normal_(0.0, 1.0 / math.sqrt(width), generator=generator)
        for table in (self.kind, self.rating, self.gap, self.default):
            table.normal_(0.0, 0.02, generator=generator)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(0.0, 1.0 / math.sqrt(module.in_features), generator=generator)
                if module.bias is not None:
                    module.bias.zero_()

    def item_vectors(self, texts: Tensor, identities: Tensor, counts: Tensor) -> Tensor:
        """(n, d), (n, m + 1), (n,) → (n, m + 1): text and identity, the last column the item's
        bias.
        """
        trust = (counts / (counts + F.softplus(self.half_trust))).unsqueeze(1)
        text = F.pad(texts @ self.project, (0, 1))  # (n, m + 1)
        popularity = F.pad(
            (self.popular * torch.log1p(counts)).unsqueeze(1), (text.shape[1] - 1, 0)
        )
        return text + trust * identities + popularity

    def states(self, table: Tensor, events: Events, keep: Tensor | None = None) -> Tensor:
        """(n, m) and events → (B, L, m): what the user is like after each event. keep: (B, L, m)
        dropout's mask.
        """
        vectors = table[events.items]  # (B, L, m)
        x = vectors + self.kind[events.kinds] + self.rating[events.ratings] + self.gap[events.gaps]
        if keep is not None:
            x = x * keep
        place = torch.arange(x.shape[1], device=x.device)
        distances = place.unsqueeze(1) - place.unsqueeze(0)  # (L, L)
        for layer in self.layers:
            x = layer(x, distances.clamp(min=0), distances < 0)
        return torch.as_tensor(self.last(x))

    def wishes(self, texts: Tensor, lengths: Tensor) -> Tensor:
        """(…, m) projected intents, (…) events before → (…, m): of unit length, turned, and weighed
        by the length of the history.
        """
        direction = F.normalize(texts, dim=-1, eps=1e-6)
        gate = torch.sigmoid(
            self.wish_gate[0] + self.wish_gate[1] * torch.log1p(lengths)
        ).unsqueeze(-1)
        return 4.0 * gate * (direction @ self.wish)
