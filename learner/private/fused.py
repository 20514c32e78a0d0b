"""The fused model's small weights, learned of one user's window at a time: each gradient is cut to
a length, their sum is told under noise, and the weights are where they began less the sum (DP-FTRL,
Kairouz et al. 2021: a stream has no sampling for DP-SGD to gain from).

Items have no identities here, since each would need its own noise. It knows nothing about users'
bounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from learner.fused.items import ItemTable
from learner.fused.trained import TrainedModel
from learner.private.continual import Noise
from learner.private.plan import Plan
from learner.training.batch import Tuning
from learner.training.buffer import ExampleBatch, ReplayBuffer, digest
from learner.training.identities import Identities
from learner.training.negatives import NegativeSampler
from learner.training.objective import Objective
from upwell.settings import LearnerSettings

__all__ = ["EVERY", "FusedLessons"]

EVERY = 10
"""Counted events of a user from one lesson to the next."""
RATE = 0.004
"""By which the sum of lessons, in users, moves the weights."""
LESSON_LENGTH = 1.0
_UNSIGNED = 2**64 - 1
_TUNING = Tuning(thin=0.0, dropout=0.0, id_dropout=0.0, popular=0)


class FusedLessons:
    """model: ranks by what was told last; not ready before."""

    def __init__(self, items: ItemTable, settings: LearnerSettings, seed: int) -> None:
        self.model = TrainedModel(items, seed, device="cpu")
        self._seed = seed
        self._identities = Identities(self.model.width)  # stay zero
        self._objective = Objective(self.model, self._identities, None, settings, _TUNING)
        self._first = self._flat()
        self._sum = np.zeros(len(self._first))

    def _weights(self) -> list[torch.nn.Parameter]:
        return list(self.model.network.parameters())

    def _flat(self) -> NDArray[np.float64]:
        flat = torch.nn.utils.parameters_to_vector(self._weights())
        return flat.detach().numpy().astype(np.float64)

    def teach(self, example: ExampleBatch, most: int) -> None:
        """One user's window, whose newest event is the example; the user teaches `most` times.
        What is drawn for it hangs on the user alone, as all else of it.
        """
        [user], [before] = example.users, example.before.tolist()
        rng = np.random.default_rng([self._seed, digest(user) & _UNSIGNED, before])
        one = ReplayBuffer(1, 1, self.model.dimension, self._seed)
        one.add(example)
        items = self.model.items
        self._identities.grow(len(items.events))
        sampler = NegativeSampler(items.announced[: items.size], items.events[: items.size])
        batch = self._objective.prepare(one.sample(1, rng), sampler, rng)
        if batch is None:
            return
        loss = torch.stack(list(self._objective.parts(batch, rng).values())).sum()
        found = torch.autograd.grad(loss, self._weights(), allow_unused=True)
        parts = [
            np.zeros(own.numel()) if one is None else one.numpy().ravel().astype(np.float64)
            for one, own in zip(found, self._weights(), strict=True)
        ]
        gradient = np.concatenate(parts)
        length = float(np.linalg.norm(gradient))
        if math.isfinite(length) and length > 0.0:
            self._sum -= gradient / (max(length, LESSON_LENGTH) * most)

    def tell(self, plan: Plan, secret: bytes, generation: int, epoch: int) -> None:
        """The model is that of all lessons so far, after `epoch` (from 0)."""
        noise = Noise(secret, "fused", generation).of(epoch, 1, len(self._sum))[0]
        self._take(self._first + RATE * (self._sum + plan.sigma("fused") * noise))

    def _take(self, flat: NDArray[np.float64]) -> None:
        vector = torch.from_numpy(flat.astype(np.float32))
        with torch.no_grad():
            torch.nn.utils.vector_to_parameters(vector, self._weights())
        none = np.zeros((0, self.model.width), np.float32)
        self.model.write(np.zeros(0, np.int64), none)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For a checkpoint."""
        return {
            "sum": self._sum.copy(),
            "told": self._flat(),
            "ready": np.array([self.model.ready]),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The inverse."""
        self._sum = np.array(arrays["sum"])
        if arrays["ready"][0]:
            self._take(arrays["told"])
