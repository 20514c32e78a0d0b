"""Mini-batch training of the fused model from a replay buffer: one step is a sample of windows,
every position a target.

Small weights by AdamW, identity embeddings by row-wise Adagrad over the batch's rows alone. It
knows nothing about streams, or about who else ranks by the model.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learner.fused.adam import AdamW
from learner.fused.trained import TrainedModel
from learner.ranking.parameters import part, prefixed
from learner.training.batch import MiniBatch, Tuning
from learner.training.buffer import ExampleBatch, ReplayBuffer
from learner.training.identities import Identities
from learner.training.negatives import NegativeSampler
from learner.training.objective import Objective
from learner.training.ratings import Ratings
from upwell.errors import ModelError
from upwell.settings import LearnerSettings

__all__ = ["TrainReport", "Trainer"]

RATE = 2e-3
WEIGHT_DECAY = 0.01
BETAS = (0.9, 0.98)
CLIP = 1.0
CAPACITY = 20_000
RECENT = 64
"""Windows: `CAPACITY` in all (1.6 kB each at 384 dimensions), `RECENT` of them the newest."""


@dataclass(frozen=True, slots=True)
class TrainReport:
    """loss, parts: means over the steps done. examples: targets trained on. refused: steps with a
    loss or gradient that is not finite.
    """

    loss: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    examples: int = 0
    steps: int = 0
    refused: int = 0
    seconds: float = 0.0


class Trainer:
    """Owns optimizer, fine identities, buffer and (where the settings ask for one) rating head of
    one model.

    threads: of torch while it trains. steps, refused: since the beginning. latest: what the newest
    steps came to. Deterministic on a CPU for its seed.
    """

    def __init__(
        self,
        model: TrainedModel,
        settings: LearnerSettings,
        seed: int,
        threads: int = 1,
        tuning: Tuning | None = None,
    ) -> None:
        self.model = model
        self.buffer = ReplayBuffer(CAPACITY, RECENT, model.dimension, seed)
        self.identities = Identities(model.width)
        self.ratings = Ratings(model) if settings.rating_head else None
        self.steps = 0
        self.refused = 0
        self.latest = TrainReport()
        self._settings = settings
        self._tuning = tuning or Tuning()
        self._seed = seed
        self._threads = threads
        self._waiting = 0
        self._objective = Objective(model, self.identities, self.ratings, settings, self._tuning)
        self._optimizer = AdamW(self._weights(), RATE, BETAS, WEIGHT_DECAY)

    def _weights(self) -> dict[str, nn.Parameter]:
        of_ratings = {} if self.ratings is None else self.ratings.weights()
        return dict(self.model.network.named_parameters()) | of_ratings

    # ---- learning

    def learn(self, examples: ExampleBatch, share: float = 1.0) -> None:
        """Puts events in the buffer; trains a few steps each `fused_every` of them, more seldom
        where there is time for a share of the steps alone.
        """
        self.add(examples)
        self._waiting += len(examples.users)
        every = round(self._settings.fused_every / share)
        if self._waiting >= every:
            self._waiting %= every
            self.train(self._settings.fused_steps)

    def add(self, examples: ExampleBatch) -> None:
        """Puts events where `train` finds them, and counts their items and ratings."""
        self.buffer.add(examples)
        if self.ratings is not None:
            self.ratings.learn(examples)
        self.model.items.count(examples.rows)

    def forget_items(self, rows: NDArray[np.int64]) -> None:
        """Nothing was learned of them, and no window holds them."""
        gone = np.zeros(len(self.model.items.events), np.bool_)
        gone[rows] = True
        self.buffer.forget_items(gone)
        self.identities.forget(rows)
        if self.ratings is not None:
            self.ratings.means.forget(rows)

    def train(self, steps: int) -> TrainReport:
        """So many steps from the buffer; none where it is empty."""
        started = time.perf_counter()
        done, parts, touched = Counter[str](), Counter[str](), []
        items = self.model.items
        self.identities.grow(len(items.events))
        sampler = NegativeSampler(items.announced[: items.size], items.events[: items.size])
        with _threads(self._threads):
            for _ in range(steps):
                self.steps += 1
                rng = np.random.default_rng([self._seed, self.steps])
                batch = self._objective.prepare(
                    self.buffer.sample(self._tuning.windows, rng), sampler, rng
                )
                if batch is None:
                    continue
                found = self._step(batch)
                done["refused" if found is None else "steps"] += 1
                if found is not None:
                    parts.update(found)
                    done["examples"] += len(batch.targets.rows)
                    touched.append(batch.rows[np.any(_gradient(batch), axis=1)])
        if touched:
            rows = np.unique(np.concatenate(touched))
            self.model.write(rows, self.identities.values[rows])
        self.refused += done["refused"]
        means = {name: total / done["steps"] for name, total in parts.items()}
        seconds = time.perf_counter() - started
        self.latest = TrainReport(
            sum(means.values()), means, done["examples"], done["steps"], done["refused"], seconds
        )
        return self.latest

    def _step(self, batch: MiniBatch) -> dict[str, float] | None:
        """One step; None, and nothing changed, where the loss or a gradient is not finite."""
        rng = np.random.default_rng([self._seed, self.steps, 1])
        parts = self._objective.parts(batch, rng)
        loss = torch.stack(list(parts.values())).sum()
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._weights().values(), CLIP)
        identities = _gradient(batch)
        if not (_finite(loss) and _finite(norm) and np.isfinite(identities).all()):
            return None
        self._optimizer.step()
        self.identities.step(batch.rows, identities)
        return {name: part.item() for name, part in parts.items()}

    def begin_anew(self) -> None:
        """The model took over other parameters: they are what is trained, and what the optimizer
        remembered of the old ones goes.
        """
        self._optimizer.forget()
        self.identities.begin_anew(self.model.identities)

    # ---- checkpoints

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Model, optimizer, ratings and buffer: training goes on from it as if it had not
        stopped.
        """
        parts: dict[str, Mapping[str, NDArray[Any]]] = {
            "model.": self.model.network_arrays() | self.identities.arrays(),
            "optimizer.": self._optimizer.arrays(),
            "buffer.": self.buffer.arrays(),
            "": {} if self.ratings is None else self.ratings.arrays(),
            "trainer.": {"steps": np.array([self.steps, self.refused], np.int64)},
        }
        found: dict[str, NDArray[Any]] = {
            "waiting": np.array([self._waiting], np.int64),
            "ready": np.array([self.model.ready]),
        }
        for prefix, arrays in parts.items():
            found |= prefixed(f"trainer.{prefix}", arrays)
        return found

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Becomes the trainer whose `arrays()` these are.

        Raises `ModelError` where they do not fit.
        """
        own = part(arrays, "trainer.")
        try:
            model = part(own, "model.")
            self.model.restore_network(model)
            self.identities.restore(model)
            self.model.write(model["rows"], model["identities"])
            self.model.ready = bool(arrays["ready"][0])
            if self.ratings is not None:
                self.ratings.restore(own)
            self._optimizer.restore(part(own, "optimizer."))
            self.buffer.restore(part(own, "buffer."))
            self.steps, self.refused = (int(number) for number in own["trainer.steps"])
            self._waiting = int(arrays["waiting"][0])
        except (KeyError, RuntimeError, ValueError) as exc:
            raise ModelError(
                f"fused model: a checkpoint does not fit ({exc}): remove it to go on from "
                "the one before"
            ) from exc


def _gradient(batch: MiniBatch) -> NDArray[np.float32]:
    """(U, m + 1) of the identities."""
    gradient = batch.identities.grad
    assert gradient is not None, "the main loss reads the identities"
    return np.asarray(gradient.cpu().numpy(), np.float32)


def _finite(value: Tensor) -> bool:
    return bool(torch.isfinite(value))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Torch with so many threads, and as it was before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
