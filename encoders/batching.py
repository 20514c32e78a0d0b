"""Which texts go through the model together: sorted by length, under a budget of padded tokens.
Pure; it knows no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["chunks", "token_batches"]


def token_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices into `lengths` (tokens), each exactly once, longest first; rows × longest stays
    within `budget`.

    One that is longer than the budget goes alone. Equal lengths keep their order.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batch: list[int] = []
    for index in order:
        if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def chunks(costs: Sequence[int], most: int, budget: int) -> Iterator[list[int]]:
    """Indices into `costs`, each exactly once, cheapest first: at most `most` together, whose costs
    sum to at most `budget`.

    One that costs more than the budget goes alone. Neighbours cost about the same, so little is
    padded in the batches made of a chunk.
    """
    chunk: list[int] = []
    spent = 0
    for index in sorted(range(len(costs)), key=costs.__getitem__):
        if chunk and (len(chunk) >= most or spent + costs[index] > budget):
            yield chunk
            chunk, spent = [], 0
        chunk.append(index)
        spent += costs[index]
    if chunk:
        yield chunk
