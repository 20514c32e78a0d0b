"""Running means by hand, and a head that starts from them and learns what is left."""

from __future__ import annotations

import numpy as np
import torch

from learner.training.rating import SHRINK, RatingHead, RunningMeans, user_offsets

NAN = float("nan")


def test_offsets_by_hand() -> None:
    means = RunningMeans()
    means.learn(np.array([0, 0, 2], np.int32), np.array([5.0, 4.0, 3.0], np.float32))
    assert means.mean == 4.0
    expected = [1.0 / (2 + SHRINK), 0.0, -1.0 / (1 + SHRINK), 0.0]
    np.testing.assert_allclose(means.offsets(np.array([0, 1, 2, 999])), expected, rtol=1e-6)


def test_an_own_rating_is_left_out_again() -> None:
    means, without = RunningMeans(), RunningMeans()
    means.learn(np.array([0, 0], np.int32), np.array([5.0, 3.0], np.float32))
    without.learn(np.array([0, 1], np.int32), np.array([3.0, 5.0], np.float32))
    found = means.offsets(np.array([0]), without=np.array([5.0], np.float32))
    np.testing.assert_allclose(found, without.offsets(np.array([0])), rtol=1e-6)


def test_no_rating_is_no_rating() -> None:
    means = RunningMeans()
    means.learn(np.array([3, 4], np.int32), np.array([NAN, NAN], np.float32))
    assert means.mean == 3.5
    assert not means.offsets(np.array([3, 4])).any()


def test_a_users_offset_knows_only_what_came_before() -> None:
    stars = np.array([[5.0, NAN, 3.0]], np.float32)
    expected = np.full((1, 3), 4.0, np.float32)
    np.testing.assert_allclose(
        user_offsets(stars, expected), [[0.0, 1 / (1 + SHRINK), 1 / (1 + SHRINK), 0.0]], rtol=1e-6
    )


def test_restored_means_are_the_same() -> None:
    means, other = RunningMeans(), RunningMeans()
    means.learn(np.array([1, 2], np.int32), np.array([1.0, 5.0], np.float32))
    other.restore(means.arrays())
    rows = np.arange(4)
    np.testing.assert_array_equal(means.offsets(rows), other.offsets(rows))
    assert means.mean == other.mean


def test_the_head_starts_at_mean_and_offsets_and_learns_a_match() -> None:
    head = RatingHead(2)
    users, items = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    offsets = torch.tensor([[0.5, -0.25], [0.0, 0.0]])
    assert head(users, items, 3.5, offsets).tolist() == [3.75, 3.5]
    optimizer = torch.optim.SGD(head.parameters(), lr=0.2)
    stars = torch.tensor([5.0, 2.0])
    for _ in range(200):
        optimizer.zero_grad()
        (head(users, items, 3.5, offsets) - stars).square().mean().backward()
        optimizer.step()
    assert torch.allclose(head(users, items, 3.5, offsets), stars, atol=0.05)


def test_every_pair_is_what_one_pair_is() -> None:
    head, generator = RatingHead(3), torch.Generator().manual_seed(1)
    for weight in head.parameters():
        torch.nn.init.normal_(weight, generator=generator)
    users, items = torch.randn(4, 3, generator=generator), torch.randn(5, 3, generator=generator)
    of_users, of_items = torch.randn(4, generator=generator), torch.randn(5, generator=generator)
    found = head.every(users, items, 3.5, of_users, of_items)
    for user, item in [(0, 0), (3, 1), (2, 4)]:
        both = torch.stack([of_users[user], of_items[item]])[None]
        torch.testing.assert_close(
            found[user, item], head(users[user][None], items[item][None], 3.5, both)[0]
        )
