"""LightGCN (He et al. 2020) as a peer, from PyTorch Geometric, refitted on all that came before
every 5,000 events: over users' events alone, and over these and what items say of each other.

Needs `uv pip install 'torch-geometric>=2.8,<3'` (the dependency group `bench`). Model and loss
(BPR) are the library's, over one graph of items and users. An edge is an event, or a pair of items
of which one's announcement names the other, by whatever relation; relations are known from the
start, as they are announced. Layers are weighed alike, as in the paper.

It has to place whom it never saw, so only an item that had an event has a vector of its own. All
others begin at nothing and have what comes to them along their edges: an item that nobody met, from
the items that it is related to, and a user, from the items that they had by the time they are asked
about, with these items' layers as of the last fit. A user who is made of their items would have the
answer among them: a step hides one fifth of the events, and asks for these by the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import bmat, csr_matrix
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import embedding

from bench.peers.baselines import OrPopular, Peer, Scores
from bench.peers.refitted import Refitted
from upwell.values import CatalogueItem

__all__ = ["Graph", "LightGCN", "Setting", "graph_of", "graph_peers", "related_rows"]

DIMENSIONS = 64
STEPS, RATE, DECAY = 150, 0.05, 1e-5
PARTS = 5
SEED = 7
Pairs = NDArray[np.int64]


class Setting(NamedTuple):
    """layers: of the convolution. weight: of an edge between items, where an event has 1."""

    layers: int
    weight: float = 1.0


ALONE = tuple(Setting(layers) for layers in (2, 3))
RELATED = tuple(Setting(2, weight) for weight in (0.1, 1.0))


class Graph(NamedTuple):
    """Nodes are items, then users. edges: (N + U, N + U), sparse, both ways, each divided by the
    roots of what its two ends' edges sum to. roots: (N + U,) one by that root, 0 without an edge.
    """

    edges: Any
    roots: Scores


def graph_of(seen: Any, related: Pairs, weight: float) -> Graph:
    """seen: (U, N) sparse zeros and ones. related: (E, 2) rows of items; a pair counts once,
    however often it is named.
    """
    shape = (seen.shape[1], seen.shape[1])
    named = csr_matrix((np.ones(len(related), np.float32), related.T), shape)
    among = named + named.T
    among.data[:] = weight
    edges = bmat([[among, seen.T], [seen, None]], "csr", np.float32)
    sums = np.asarray(edges.sum(axis=1)).ravel()
    roots = np.divide(1.0, np.sqrt(sums), out=np.zeros_like(sums), where=sums > 0)
    edges.data *= np.repeat(roots, np.diff(edges.indptr)) * roots[edges.indices]
    return Graph(edges, roots)


class LightGCN:
    """related: (E, 2) rows of items. seen: (U, N) sparse zeros and ones."""

    def __init__(self, related: Pairs, seen: Any, setting: Setting) -> None:
        items = seen.shape[1]
        graph = graph_of(seen, related, setting.weight)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            model = _new_model(seen, setting.layers)
            _fit(model, seen, related, setting.weight)
        with torch.inference_mode():
            nodes = _layers(model.embedding.weight, model.convs, _tensor(graph))
        layers: Scores = nodes[:, :items].numpy()
        self._items = layers.mean(axis=0)  # (N, DIMENSIONS)
        self._tell = layers[:-1].sum(axis=0) * graph.roots[:items, None]  # what a user has of each

    def score(self, rows: Sequence[int]) -> Scores:
        user = self._tell[list(set(rows))].sum(axis=0)
        scores: Scores = self._items @ user
        return scores


def _new_model(seen: Any, layers: int) -> Any:
    """The library's, where vectors of what had no event are nothing, and stay it."""
    from torch_geometric import nn  # an extra

    nodes = sum(seen.shape)
    model = nn.LightGCN(nodes, DIMENSIONS, layers, normalize=False)  # `graph_of` did
    own = torch.zeros(nodes, 1)
    own[np.unique(seen.indices)] = 1.0
    with torch.no_grad():
        model.embedding.weight.mul_(own)
    model.embedding.weight.register_hook(lambda gradient: gradient * own)
    return model


def _fit(model: Any, seen: Any, related: Pairs, weight: float) -> None:
    users, rows = (torch.from_numpy(one.astype(np.int64)) for one in seen.nonzero())
    known = torch.from_numpy(np.unique(seen.indices).astype(np.int64))
    part = torch.randint(PARTS, (len(rows),))
    hidden = [part == number for number in range(PARTS) if (part == number).any()]
    graphs = [_tensor(graph_of(_only(seen, ~one), related, weight)) for one in hidden]
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    for step in range(STEPS):
        some = hidden[step % len(hidden)]
        others = known[torch.randint(len(known), (int(some.sum()),))]
        edges = graphs[step % len(hidden)]
        nodes = _Propagation.apply(model.embedding.weight, model.convs, edges)  # type: ignore[no-untyped-call]
        user = embedding(users[some] + seen.shape[1], nodes)
        taken, left = embedding(rows[some], nodes), embedding(others, nodes)
        ranks = (user * taken).sum(dim=1), (user * left).sum(dim=1)
        loss = model.recommendation_loss(*ranks, torch.cat([rows[some], others]), DECAY)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _only(seen: Any, some: Tensor) -> Any:
    """The same without the events that are not among `some`."""
    users, rows = (one[some.numpy()] for one in seen.nonzero())
    return csr_matrix((np.ones(len(rows), np.float32), (users, rows)), seen.shape)


class _Propagation(Function):
    """What nodes are, (N + U, DIMENSIONS), by what they begin with: their layers, weighed alike.

    Edges lead both ways alike, so the gradient goes the way of the layers, too. The library's own
    turns the matrix round in each step of each layer, which is half of a fit's time.
    """

    @staticmethod
    def forward(ctx: Any, nodes: Tensor, convolutions: Any, edges: Tensor) -> Tensor:
        ctx.way = convolutions, edges
        return _layers(nodes, convolutions, edges).mean(dim=0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return _layers(*gradients, *ctx.way).mean(dim=0), None, None


def _layers(nodes: Tensor, convolutions: Any, edges: Tensor) -> Tensor:
    """(layers + 1, N + U, DIMENSIONS): what nodes begin with, then after each convolution."""
    found = [nodes]
    for convolution in convolutions:
        found.append(convolution(found[-1], edges))
    return torch.stack(found)


def _tensor(graph: Graph) -> Tensor:
    edges = graph.edges
    begins, ends, values = map(torch.from_numpy, (edges.indptr, edges.indices, edges.data))
    return torch.sparse_csr_tensor(begins, ends, values, size=edges.shape, check_invariants=True)


def related_rows(catalogue: Sequence[CatalogueItem]) -> Pairs:
    """(E, 2): the row of an item, and of one that it names."""
    rows = {item.item_id: row for row, item in enumerate(catalogue)}
    pairs = [
        (row, rows[one])
        for row, item in enumerate(catalogue)
        for _, named in item.relations
        for one in named
        if one in rows and rows[one] != row
    ]
    return np.array(pairs, np.int64).reshape(-1, 2)


def graph_peers(catalogue: Sequence[CatalogueItem]) -> dict[str, Peer]:
    """Without relations and, where there are some, with them, by name."""
    items, related = len(catalogue), related_rows(catalogue)
    none = related[:0]
    fits = {"lightgcn": (partial(LightGCN, none), ALONE)}
    if len(related):
        fits["lightgcn_related"] = (partial(LightGCN, related), RELATED)
    return {
        name: OrPopular(Refitted(name, items, fit, grid), items)
        for name, (fit, grid) in fits.items()
    }
