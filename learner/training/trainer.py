"""Mini-batch training of the fused model from a replay buffer: one step is a sample of windows,
every position a target.

Small weights by AdamW, identity embeddings by row-wise Adagrad over the batch's rows alone. It
knows nothing about streams.
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

from learner.fused.model import WIDTH, FusedModel, HistoryBatch
from learner.training.buffer import ExampleBatch, ReplayBuffer
from learner.training.negatives import NegativeSampler
from learner.training.objective import MiniBatch, Objective, Tuning
from learner.training.rating import RatingHead, RunningMeans, user_offsets
from learner.training.rating_blend import FEATURES, LeastSquares, TextCentre, rating_features
from upwell.errors import ModelError
from upwell.settings import LearnerSettings

__all__ = ["TrainReport", "Trainer"]

RATE = 2e-3
ID_RATE = 0.03
WEIGHT_DECAY = 0.01
BETAS = (0.9, 0.98)
CLIP = 1.0
CAPACITY = 20_000
RECENT = 64
"""Windows: `CAPACITY` in all (1.6 kB each at 384 dimensions), `RECENT` of them the newest."""
# ratings of a call that the blend learns from, spread evenly: a handful of weights needs no more
_BLENDED = 64
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


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
    """Owns buffer, optimizer and rating head of one model.

    threads: of torch while it trains. Deterministic on a CPU for its seed.
    """

    def __init__(
        self,
        model: FusedModel,
        settings: LearnerSettings,
        seed: int,
        threads: int = 1,
        tuning: Tuning | None = None,
    ) -> None:
        self.model = model
        self.buffer = ReplayBuffer(CAPACITY, RECENT, model.dimension, seed)
        self.means = RunningMeans()
        self.steps = 0
        self.refused = 0
        self._tuning = tuning or Tuning()
        self._seed = seed
        self._threads = threads
        self._rates = settings.rating_head
        self._head = RatingHead(WIDTH).to(model.device)
        self._blend = LeastSquares(np.eye(len(FEATURES))[0])
        self._centre = TextCentre(model.dimension)
        self._objective = Objective(model, self._head, self.means, settings, self._tuning)
        self._optimizer = torch.optim.AdamW(
            self._weights().values(), lr=RATE, betas=BETAS, weight_decay=WEIGHT_DECAY
        )

    def _weights(self) -> dict[str, nn.Parameter]:
        return dict(self.model.network.named_parameters()) | {
            f"rating.{name}": one for name, one in self._head.named_parameters()
        }

    # ---- learning

    def add(self, examples: ExampleBatch) -> None:
        """Puts events where `train` finds them, and counts their items and ratings."""
        self.buffer.add(examples)
        if self._rates:
            self._add_ratings(examples)
        self.model.count(examples.rows)
        self.means.learn(examples.rows, examples.ratings)

    def _add_ratings(self, examples: ExampleBatch) -> None:
        rated = np.flatnonzero(~np.isnan(examples.ratings))
        rated = rated[:: max(1, -(-len(rated) // _BLENDED))]
        if len(rated):
            rows = examples.rows[rated].astype(np.int64)
            features = self._rating_features(examples.histories.take(rated), rows)
            self._blend.learn(
                features, examples.ratings[rated].astype(np.float64) - self.means.mean
            )
            self._centre.learn(self.model.vectors[rows])

    def train(self, steps: int) -> TrainReport:
        """So many steps from the buffer; none where it is empty."""
        started = time.perf_counter()
        done, parts, touched = Counter[str](), Counter[str](), []
        sampler = NegativeSampler(
            self.model.announced[: len(self.model)], self.model.counts[: len(self.model)]
        )
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
            self.model.trained(np.unique(np.concatenate(touched)))
        self.refused += done["refused"]
        means = {name: total / done["steps"] for name, total in parts.items()}
        seconds = time.perf_counter() - started
        return TrainReport(
            sum(means.values()), means, done["examples"], done["steps"], done["refused"], seconds
        )

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
        self._step_identities(batch.rows, identities)
        return {name: part.item() for name, part in parts.items()}

    def _step_identities(self, rows: NDArray[np.int64], gradients: NDArray[np.float32]) -> None:
        """Row-wise Adagrad: one sum of mean squares a row (Gupta et al. 2014). Rows without
        gradient stay as they are.
        """
        squares = np.square(gradients).mean(axis=1)
        moved = squares > 0
        rows, squares, gradients = rows[moved], squares[moved], gradients[moved]
        self.model.squares[rows] += squares
        self.model.identities[rows] -= (
            ID_RATE * gradients / np.sqrt(self.model.squares[rows])[:, None]
        )

    def begin_anew(self) -> None:
        """The weights were replaced: what the optimizer remembered of the old ones goes."""
        self._optimizer.state.clear()

    def forget(self, user: str) -> int:
        """Removes a user from the buffer; what the weights learned stays. Returns how many windows
        are gone.
        """
        return self.buffer.forget(user)

    # ---- ratings

    def predict_ratings(
        self, histories: HistoryBatch, rows: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """(b,) stars, from 0.5 to 5, that b users would give b items."""
        predicted = self.means.mean + self._rating_features(histories, rows) @ self._blend.weights
        return predicted.clip(0.5, 5.0).astype(np.float32)

    @torch.no_grad()
    def _rating_features(
        self, histories: HistoryBatch, rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        here = np.arange(histories.rows.shape[1]) < histories.lengths[:, None]
        stars = np.where(here & (histories.rows >= 0), histories.ratings, np.nan).astype(np.float32)
        expected = np.float32(self.means.mean) + self.means.offsets(
            histories.rows.astype(np.int64), without=stars
        )
        items = self.means.offsets(rows)
        offsets = np.stack([user_offsets(stars, expected)[:, -1], items], axis=1)
        users = self.model.tensor(self.model.user_vectors(histories)[:, :WIDTH])
        vectors = self.model.tensor(self.model.item_matrix()[rows, :WIDTH])
        head = self._head(users, vectors, 0.0, self.model.tensor(offsets)).cpu().numpy()
        likeness = self._centre.likeness(
            self.model.vectors[rows], self.model.vectors[histories.rows.clip(min=0)]
        )
        return rating_features(head, items, stars - expected, likeness)

    # ---- checkpoints

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Model, optimizer, rating head, means and buffer: training goes on from it as if it had
        not stopped.
        """
        parts: dict[str, Mapping[str, NDArray[Any]]] = {
            "model": self.model.arrays(),
            "head": {
                name: one.detach().cpu().numpy().copy()
                for name, one in self._head.named_parameters()
            },
            "optimizer": self._moments(),
            "means": self.means.arrays(),
            "blend": self._blend.arrays(),
            "centre": self._centre.arrays(),
            "buffer": self.buffer.arrays(),
            "trainer": {"steps": np.array([self.steps, self.refused], np.int64)},
        }
        return {
            f"{part}.{name}": array
            for part, arrays in parts.items()
            for name, array in arrays.items()
        }

    def _moments(self) -> dict[str, NDArray[Any]]:
        state = self._optimizer.state
        return {
            f"{name}.{moment}": np.atleast_1d(state[weight][moment].cpu().numpy()).copy()
            for name, weight in self._weights().items()
            for moment in _MOMENTS
            if weight in state
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Becomes the trainer whose `arrays()` these are.

        Raises `ModelError` where they do not fit.
        """

        def part(prefix: str) -> dict[str, NDArray[Any]]:
            return {
                name.removeprefix(prefix): array
                for name, array in arrays.items()
                if name.startswith(prefix)
            }

        try:
            self.model.restore(part("model."))
            self._head.load_state_dict(
                {name: torch.from_numpy(np.array(array)) for name, array in part("head.").items()}
            )
            self._restore_moments(part("optimizer."))
            self.means.restore(part("means."))
            self._blend.restore(part("blend."))
            self._centre.restore(part("centre."))
            self.buffer.restore(part("buffer."))
            self.steps, self.refused = (int(number) for number in arrays["trainer.steps"])
        except (KeyError, RuntimeError, ValueError) as exc:
            raise ModelError(
                f"fused model: a checkpoint does not fit ({exc}): remove it to go on from "
                "the one before"
            ) from exc

    def _restore_moments(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._optimizer.state.clear()
        for name, weight in self._weights().items():
            if f"{name}.step" in arrays:
                first, second, step = (
                    torch.from_numpy(np.array(arrays[f"{name}.{moment}"])) for moment in _MOMENTS
                )
                state = {
                    "exp_avg": first.reshape(weight.shape).to(weight),
                    "exp_avg_sq": second.reshape(weight.shape).to(weight),
                }
                self._optimizer.state[weight] = state | {"step": step.reshape(())}


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
