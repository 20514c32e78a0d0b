"""scikit-learn's models fill what is near, and see no label that is hidden."""

from __future__ import annotations

import numpy as np
import pytest

from bench.propagation.labels import hidden
from bench.propagation.peers import PEERS

pytest.importorskip("sklearn")


def apart(items: int = 120) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    of = rng.integers(3, size=items)
    vectors = np.eye(3, 6)[of] + rng.normal(0.0, 0.1, (items, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    held = np.zeros((items, 4), np.bool_)  # the last label is nobody's
    held[np.arange(items), of] = True
    return vectors.astype(np.float32), held


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_fills_what_it_does_not_see(name: str) -> None:
    vectors, held = apart()
    gone = hidden(held, 0.3, 7)
    shares = PEERS[name](vectors, held, ~gone)
    wrong = np.where(gone[:, None], ~held, held)
    np.testing.assert_array_equal(shares, PEERS[name](vectors, wrong, ~gone))
    assert shares.shape == held.shape
    assert not shares[:, 3].any()
    right = (shares.argmax(axis=1) == held.argmax(axis=1))[gone].mean()
    assert right > (0.2 if name == "the labels' frequency" else 0.9)
