"""What ranks is what is trained: the network's numbers, however long the histories are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.events import KINDS
from learner.fused.histories import LENGTH, HistoryBatch
from learner.fused.network import Events, Network
from learner.fused.reading import Reader, gap_buckets, rating_buckets
from learner.fused.shapes import GAPS, RATINGS

DIMENSION, WIDTH, HEADS, ITEMS = 6, 8, 2, 30


def network(layers: int) -> Network:
    """With no weight at its beginning."""
    generator = torch.Generator().manual_seed(3)
    made = Network(DIMENSION, WIDTH, layers, HEADS, LENGTH, generator)
    for weight in made.parameters():
        weight.data.add_(0.3 * torch.randn(weight.shape, generator=generator))
    return made


def reader(of: Network, layers: int) -> Reader:
    return Reader(
        {name: one.detach().numpy() for name, one in of.named_parameters()}, layers, HEADS
    )


def users(lengths: list[int]) -> HistoryBatch:
    rng, shape = np.random.default_rng(5), (len(lengths), LENGTH)
    here = np.arange(LENGTH) < np.array(lengths)[:, None]
    intents = rng.normal(size=(len(lengths), DIMENSION)).astype(np.float32)
    intents[::3] = 0.0
    return HistoryBatch(
        np.where(here, rng.integers(ITEMS, size=shape), -1).astype(np.int32),
        np.where(here, rng.integers(len(KINDS), size=shape), 0).astype(np.uint8),
        np.where(here & (rng.random(shape) < 0.7), rng.integers(1, 11, shape) / 2, np.nan).astype(
            np.float32
        ),
        np.where(here, np.cumsum(rng.integers(1, 10**8, shape), axis=1), 0),
        np.array(lengths, np.int64),
        intents,
    )


@torch.no_grad()
def by_torch(of: Network, table: np.ndarray, batch: HistoryBatch) -> np.ndarray:
    """(b, m) as the model is trained: all states, of which the newest is taken."""
    here = torch.arange(LENGTH) < torch.from_numpy(batch.lengths)[:, None]
    lengths = torch.from_numpy(batch.lengths)
    events = Events(
        torch.from_numpy(batch.rows.clip(min=0).astype(np.int64)),
        torch.from_numpy(batch.kinds.astype(np.int64)),
        torch.from_numpy(rating_buckets(batch.ratings)),
        torch.from_numpy(gap_buckets(np.where(here.numpy(), batch.ts, 0))),
        torch.zeros(here.shape),
    )
    states = of.states(torch.from_numpy(table), events)
    newest = states[torch.arange(len(states)), (lengths - 1).clamp(min=0)]
    intents = torch.from_numpy(batch.intents)
    wished = intents.any(dim=1)
    wish = of.wishes(intents @ of.project, lengths) * wished.unsqueeze(-1)
    some = (lengths > 0).unsqueeze(-1)
    nothing = ~(some | wished.unsqueeze(-1))
    found = torch.where(some, newest, 0.0) + wish + torch.where(nothing, of.default, 0.0)
    return found.numpy()


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("lengths", [[1], [0], [0, 0, 3, 50, 1, 17], [50] * 9])
def test_users_are_what_the_network_says(layers: int, lengths: list[int]) -> None:
    made, batch = network(layers), users(lengths)
    table = np.random.default_rng(1).normal(size=(ITEMS, WIDTH)).astype(np.float32)
    found = reader(made, layers).user_vectors(table, batch.rows.clip(min=0), batch)
    np.testing.assert_allclose(found[:, :-1], by_torch(made, table, batch), rtol=1e-4, atol=1e-4)
    assert (found[:, -1] == 1.0).all()


def test_items_are_what_the_network_says() -> None:
    made, rng = network(1), np.random.default_rng(2)
    texts = rng.normal(size=(ITEMS, DIMENSION)).astype(np.float32)
    identities = rng.normal(size=(ITEMS, WIDTH + 1)).astype(np.float32)
    counts = rng.integers(0, 99, ITEMS).astype(np.float32)
    with torch.no_grad():
        expected = made.item_vectors(*map(torch.from_numpy, (texts, identities, counts))).numpy()
    found = reader(made, 1).item_vectors(texts, identities, counts)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_what_is_trained_in_place_is_read_at_once() -> None:
    made, batch = network(1), users([3, 0])
    read, table = reader(made, 1), np.ones((ITEMS, WIDTH), np.float32)
    before = read.user_vectors(table, batch.rows.clip(min=0), batch)
    made.default.data.add_(1.0)
    made.last.bias.data.add_(1.0)
    after = read.user_vectors(table, batch.rows.clip(min=0), batch)
    assert not np.allclose(before, after, atol=0.5)


def test_stars_and_gaps_are_buckets() -> None:
    stars = np.array([[0.5, 5.0, 3.5, np.nan, 9.0]], np.float32)
    assert rating_buckets(stars).tolist() == [[0, 9, 6, RATINGS - 1, 9]]
    ts = np.array([[5_000, 5_000, 6_000, 3_000, 3_000 + 7_000]])
    assert gap_buckets(ts).tolist() == [[0, 0, 1, 0, 3]], "log2(1 + seconds), never below zero"


@given(st.lists(st.integers(0, 2**61), min_size=1, max_size=6))
def test_gaps_are_never_outside_their_table_and_only_gaps_are_read(times: list[int]) -> None:
    ts = np.array([times])
    found = gap_buckets(ts)
    assert found[0, 0] == 0
    assert 0 <= int(found.min()) <= int(found.max()) < GAPS
    np.testing.assert_array_equal(gap_buckets(ts + 86_400_000), found)
