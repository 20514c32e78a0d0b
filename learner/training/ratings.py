"""What users would give items: the rating head on the fused model, the running means it builds on,
and what is learned from the counts beside it. Off by default (docs/decisions/0015).

It knows nothing about ranking or streams.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learner.fused.histories import HistoryBatch
from learner.fused.shapes import WIDTH
from learner.fused.trained import TrainedModel
from learner.ranking.parameters import part, prefixed
from learner.training import losses
from learner.training.buffer import ExampleBatch, Windows
from learner.training.rating import RatingHead, RunningMeans, user_offsets
from learner.training.rating_blend import FEATURES, LeastSquares, TextCentre, rating_features

__all__ = ["Ratings"]

# ratings of a call that the blend learns from, spread evenly: a handful of weights needs no more
_BLENDED = 64


class Ratings:
    """Reads `model`; its head's weights are the trainer's to move."""

    def __init__(self, model: TrainedModel) -> None:
        self.model = model
        self.means = RunningMeans()
        self.head = RatingHead(WIDTH).to(model.device)
        self._blend = LeastSquares(np.eye(len(FEATURES))[0])
        self._centre = TextCentre(model.dimension)

    def weights(self) -> dict[str, nn.Parameter]:
        """The head's, by name."""
        return {f"rating.{name}": one for name, one in self.head.named_parameters()}

    def learn(self, examples: ExampleBatch) -> None:
        """Takes in ratings, before their events are counted."""
        rated = np.flatnonzero(~np.isnan(examples.ratings))
        rated = rated[:: max(1, -(-len(rated) // _BLENDED))]
        if len(rated):
            rows = examples.rows[rated].astype(np.int64)
            features = self._features(examples.histories.take(rated), rows)
            self._blend.learn(
                features, examples.ratings[rated].astype(np.float64) - self.means.mean
            )
            self._centre.learn(self.model.items.vectors[rows])
        self.means.learn(examples.rows, examples.ratings)

    def predict(self, histories: HistoryBatch, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(b,) stars, from 0.5 to 5, that b users would give b items."""
        predicted = self.means.mean + self._features(histories, rows) @ self._blend.weights
        return predicted.clip(0.5, 5.0).astype(np.float32)

    def loss(
        self,
        windows: Windows,
        items_of: Callable[[NDArray[np.int64], NDArray[np.int64]], Tensor],
        users: Tensor,
        weights_of: Callable[[NDArray[np.int32]], Tensor],
    ) -> Tensor:
        """Squared error of what users (n, L + 1, m) would give the rated events of n windows.

        items_of: (r,) windows and (r,) places to (r, m). weights_of: (r,) rows to (r,).
        """
        here = np.arange(windows.rows.shape[1]) < windows.lengths[:, None]
        stars = np.where(here & (windows.rows >= 0), windows.ratings, np.nan).astype(np.float32)
        offsets = self.means.offsets(windows.rows.astype(np.int64), without=stars)
        by_user = user_offsets(stars, np.float32(self.means.mean) + offsets)[:, :-1]
        at, place = np.nonzero(~np.isnan(stars))
        if not len(at):
            return users.new_zeros(())
        both = self.model.tensor(np.stack([by_user[at, place], offsets[at, place]], axis=1))
        where, when = self.model.tensor(at), self.model.tensor(place)
        predicted = self.head(users[where, when], items_of(at, place), self.means.mean, both)
        ratings = self.model.tensor(stars[at, place])
        return losses.squared_error(predicted, ratings, weights_of(windows.rows[at, place]))

    @torch.no_grad()
    def _features(self, histories: HistoryBatch, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        here = np.arange(histories.rows.shape[1]) < histories.lengths[:, None]
        stars = np.where(here & (histories.rows >= 0), histories.ratings, np.nan).astype(np.float32)
        expected = np.float32(self.means.mean) + self.means.offsets(
            histories.rows.astype(np.int64), without=stars
        )
        items = self.means.offsets(rows)
        offsets = np.stack([user_offsets(stars, expected)[:, -1], items], axis=1)
        users = self.model.tensor(self.model.user_vectors(histories)[:, :WIDTH])
        vectors = self.model.tensor(self.model.item_vectors(rows)[:, :WIDTH])
        head = self.head(users, vectors, 0.0, self.model.tensor(offsets)).cpu().numpy()
        texts = self.model.items.vectors
        likeness = self._centre.likeness(texts[rows], texts[histories.rows.clip(min=0)])
        return rating_features(head, items, stars - expected, likeness)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything learned."""
        parts: dict[str, Mapping[str, NDArray[Any]]] = {
            "head": {
                name: one.detach().cpu().numpy().copy()
                for name, one in self.head.named_parameters()
            },
            "means": self.means.arrays(),
            "blend": self._blend.arrays(),
            "centre": self._centre.arrays(),
        }
        return {
            name: array
            for of, arrays in parts.items()
            for name, array in prefixed(f"{of}.", arrays).items()
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Becomes what `arrays()` gave. A checkpoint without them is of a learner that had no
        rating head: it begins here.
        """
        if not (head := part(arrays, "head.")):
            return
        self.head.load_state_dict(
            {name: torch.from_numpy(np.array(array)) for name, array in head.items()}
        )
        self.means.restore(part(arrays, "means."))
        self._blend.restore(part(arrays, "blend."))
        self._centre.restore(part(arrays, "centre."))
