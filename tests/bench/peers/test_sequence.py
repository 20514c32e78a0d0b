from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.peers.sequence import EVERY, SequenceModel

ITEMS = 12
STEPS = 40


def texts() -> NDArray[np.float32]:
    vectors = np.random.default_rng(3).standard_normal((ITEMS, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def round_and_round(model: SequenceModel, items: int, steps: int = STEPS) -> None:
    """Each user goes on where they are, one item further each time."""
    histories: dict[str, list[int]] = {f"u{number}": [number % items] for number in range(8)}
    for event in range(steps * EVERY):
        user = f"u{event % 8}"
        row = (histories[user][-1] + 1) % items
        model.learn(user, histories[user], row)
        histories[user].append(row)


def test_it_learns_what_follows_and_a_new_item_stands_where_its_text_does() -> None:
    vectors = texts()
    vectors[ITEMS - 1] = vectors[4] + 0.05 * vectors[0]  # nobody meets it
    model = SequenceModel(vectors)
    assert not model.score("u", [1]).any()
    round_and_round(model, ITEMS - 2)
    assert np.argmax(model.score("u", [1, 2])) == 3
    after_three = np.argsort(-model.score("u", [2, 3]))
    assert after_three[0] == 4
    unmet = after_three.tolist().index(ITEMS - 1)
    assert unmet < after_three.tolist().index(ITEMS - 2)
    assert not model.score("u", []).any()


def test_the_same_events_make_the_same_model() -> None:
    """But for how threads sum."""
    one, other = SequenceModel(texts()), SequenceModel(texts())
    for model in (one, other):
        round_and_round(model, ITEMS, steps=5)
    np.testing.assert_allclose(one.score("u", [5]), other.score("u", [5]), atol=1e-4)
