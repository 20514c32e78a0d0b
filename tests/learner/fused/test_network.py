"""The network by what it promises of any weights: an event knows nothing of later ones, an item is
its text and, with events, its identity, a wish is a direction.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from learner.fused.network import Events, Network, torch_device
from learner.fused.shapes import GAPS, RATINGS

DIMENSION, WIDTH, LONGEST, ITEMS = 5, 8, 6, 7


def network(seed: int = 1) -> Network:
    """With no weight at zero, so that all are read."""
    generator = torch.Generator().manual_seed(seed)
    made = Network(DIMENSION, WIDTH, 2, 2, LONGEST, generator)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator))
    return made


MADE = network()
TABLE = torch.randn(ITEMS, WIDTH, generator=torch.Generator().manual_seed(2))


def events(seed: int, users: int = 2) -> Events:
    rng = np.random.default_rng(seed)

    def drawn(most: int) -> Tensor:
        return torch.from_numpy(rng.integers(most, size=(users, LONGEST)))

    weights = torch.from_numpy(rng.normal(size=(users, LONGEST)).astype(np.float32))
    return Events(drawn(ITEMS), drawn(10), drawn(RATINGS), drawn(GAPS), weights)


@torch.no_grad()
def states(of: Events, keep: Tensor | None = None) -> Tensor:
    return MADE.states(TABLE, of, keep)


@given(st.integers(0, 99), st.integers(1, LONGEST))
def test_a_state_knows_nothing_of_later_events_and_something_of_its_own(
    seed: int, length: int
) -> None:
    one, other = events(seed), events(seed + 1_000)
    mixed = Events(
        *(
            torch.cat([getattr(one, at.name)[:, :length], getattr(other, at.name)[:, length:]], 1)
            for at in fields(Events)
        )
    )
    torch.testing.assert_close(states(mixed)[:, :length], states(one)[:, :length])
    assert not torch.allclose(states(other)[:, 0], states(one)[:, 0], atol=1e-3)


def test_a_mask_that_keeps_all_changes_nothing_and_one_that_keeps_none_leaves_only_places() -> None:
    of = events(1)
    torch.testing.assert_close(states(of, torch.ones(2, LONGEST, WIDTH)), states(of))
    blind = states(of, torch.zeros(2, LONGEST, WIDTH))
    torch.testing.assert_close(blind[0], blind[1])


@torch.no_grad()
@given(st.integers(0, 10_000))
def test_an_item_is_its_text_its_trusted_identity_and_its_popularity(count: int) -> None:
    texts, identity = torch.ones(1, DIMENSION), torch.full((1, WIDTH + 1), 2.0)
    counts = torch.tensor([float(count)])
    found = MADE.item_vectors(texts, identity, counts)[0]
    half = float(torch.log1p(torch.exp(MADE.half_trust[0])))
    expected = np.full(WIDTH + 1, 2.0 * count / (count + half))
    expected[:WIDTH] += MADE.project.numpy().sum(axis=0)
    expected[WIDTH] += float(MADE.popular[0]) * np.log1p(count)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
@given(st.floats(0.1, 100.0), st.integers(0, 50))
def test_a_wish_is_a_direction_weighed_by_the_length_of_the_history(
    scale: float, length: int
) -> None:
    texts, lengths = TABLE[:2], torch.tensor([float(length)] * 2)
    found = MADE.wishes(scale * texts, lengths)
    gate = torch.sigmoid(MADE.wish_gate[0] + MADE.wish_gate[1] * np.log1p(length))
    unit = texts / texts.norm(dim=1, keepdim=True)
    torch.testing.assert_close(found, 4.0 * gate * unit @ MADE.wish, rtol=1e-4, atol=1e-5)
    assert not MADE.wishes(torch.zeros(2, WIDTH), lengths).any()


def test_weights_come_of_the_generator_alone() -> None:
    one, same, other = (
        Network(DIMENSION, WIDTH, 1, 2, LONGEST, torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    torch.manual_seed(7)
    for name, weight in one.named_parameters():
        torch.testing.assert_close(weight, same.get_parameter(name), rtol=0, atol=0)
    assert not torch.equal(one.project, other.project)


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_a_device_is_one_that_is_there(name: str) -> None:
    device = torch_device(name)
    assert torch.zeros(1, device=device).device.type == device.type
    assert name == "auto" or device.type == name
