"""Peers for ratings: running means, river's online models, and a factorization refitted now and
then. All see one rating after the other.

They know nothing about logs, vectors or tables.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections import defaultdict
from typing import Any, Protocol

from river import optim, reco

__all__ = ["RatingPeer", "rating_peers"]

PRIOR = 3.5
SHRINK = 5.0
RATE = 0.05
REFIT_EVERY = 5_000


class RatingPeer(Protocol):
    """Called for each rating in turn, predict first."""

    def predict(self, user: str, item: str) -> float: ...

    def learn(self, user: str, item: str, stars: float) -> None: ...


class RunningMean:
    """Of all ratings, of the item or of the user; of all where there is none yet. by: which of
    (user, item), None for all.
    """

    def __init__(self, by: int | None) -> None:
        self._by = by
        self._sums: dict[str, float] = defaultdict(float)
        self._counts: dict[str, int] = defaultdict(int)

    def predict(self, user: str, item: str) -> float:
        own = "" if self._by is None else (user, item)[self._by]
        for key in (own, ""):
            if self._counts[key]:
                return self._sums[key] / self._counts[key]
        return PRIOR

    def learn(self, user: str, item: str, stars: float) -> None:
        for key in {"", "" if self._by is None else (user, item)[self._by]}:
            self._sums[key] += stars
            self._counts[key] += 1


class Offsets:
    """Mean, and shrunk offsets of item and user from it."""

    def __init__(self) -> None:
        self._mean = RunningMean(None)
        self._sums: dict[tuple[str, str], float] = defaultdict(float)
        self._counts: dict[tuple[str, str], int] = defaultdict(int)

    def _offset(self, key: tuple[str, str]) -> float:
        return self._sums[key] / (self._counts[key] + SHRINK)

    def predict(self, user: str, item: str) -> float:
        return (
            self._mean.predict(user, item)
            + self._offset(("item", item))
            + self._offset(("user", user))
        )

    def learn(self, user: str, item: str, stars: float) -> None:
        mean = self._mean.predict(user, item)
        self._sums["user", user] += stars - mean - self._offset(("item", item))
        self._sums["item", item] += stars - mean
        for key in (("item", item), ("user", user)):
            self._counts[key] += 1
        self._mean.learn(user, item, stars)


class River:
    """A model of river.reco.

    centred: it is given stars less their running mean, for those that have no mean of their own.
    """

    def __init__(self, model: Any, centred: bool = False) -> None:
        self._model = model
        self._mean = RunningMean(None)
        self._centred = centred

    def predict(self, user: str, item: str) -> float:
        around = self._mean.predict(user, item) if self._centred else 0.0
        return around + float(self._model.predict_one(user=user, item=item))

    def learn(self, user: str, item: str, stars: float) -> None:
        around = self._mean.predict(user, item) if self._centred else 0.0
        self._model.learn_one(user=user, item=item, y=stars - around)
        self._mean.learn(user, item, stars)


class Refitted:
    """scikit-surprise's SVD with its own defaults, fitted to everything so far every REFIT_EVERY
    ratings.
    """

    def __init__(self, seed: int) -> None:
        self._surprise = importlib.import_module("surprise")
        self._seed = seed
        self._ratings: list[tuple[str, str, float, None]] = []
        self._fitted: Any = None

    def predict(self, user: str, item: str) -> float:
        return PRIOR if self._fitted is None else float(self._fitted.predict(user, item).est)

    def learn(self, user: str, item: str, stars: float) -> None:
        self._ratings.append((user, item, stars, None))
        if len(self._ratings) % REFIT_EVERY == 0:
            data = self._surprise.Dataset(self._surprise.Reader(rating_scale=(0.5, 5.0)))
            self._fitted = self._surprise.SVD(random_state=self._seed).fit(
                data.construct_trainset(self._ratings)
            )


def rating_peers(seed: int) -> dict[str, RatingPeer]:
    """By name. scikit-surprise where it is installed."""

    def mf(factors: int, scale: float) -> Any:
        weights, latents = (
            optim.initializers.Normal(mu=0.0, sigma=scale, seed=seed + number)
            for number in range(2)
        )
        return reco.BiasedMF(
            factors,
            bias_optimizer=optim.SGD(RATE),
            latent_optimizer=optim.SGD(RATE),
            weight_initializer=weights,
            latent_initializer=latents,
            seed=seed,
        )

    peers: dict[str, RatingPeer] = {
        "mean": RunningMean(None),
        "user means": RunningMean(0),
        "item means": RunningMean(1),
        "mean and offsets": Offsets(),
        "river Baseline, rate .05": River(reco.Baseline(optimizer=optim.SGD(RATE))),
        "river BiasedMF": River(reco.BiasedMF(seed=seed)),
        "river BiasedMF, rate .05, small start": River(mf(10, 0.1 / math.sqrt(10))),
        "river FunkMF, centred": River(reco.FunkMF(seed=seed), centred=True),
    }
    if importlib.util.find_spec("surprise") is not None:
        peers["surprise SVD, refitted"] = Refitted(seed)
    return peers
