"""A product is the same for few users and for many, and touches nobody else's row."""

from __future__ import annotations

import numpy as np
import pytest

from learner.catalogue.nearest.products import FEW, products


@pytest.mark.parametrize("asked", [0, 1, FEW - 1, FEW, FEW + 5])
def test_users_at_their_places_get_their_products_and_nobody_else_any(asked: int) -> None:
    rng = np.random.default_rng(3)
    users = rng.normal(size=(FEW + 8, 5)).astype(np.float32)
    items = rng.normal(size=(33, 5)).astype(np.float32)
    places = np.sort(rng.choice(len(users), asked, replace=False))
    into = np.full((len(users), 40), np.nan, np.float32)
    products(users, items, places, into)
    np.testing.assert_allclose(into[places, :33], users[places] @ items.T, rtol=1e-5, atol=1e-5)
    others = np.setdiff1d(np.arange(len(users)), places)
    assert np.isnan(into[others]).all()
    assert np.isnan(into[:, 33:]).all()
