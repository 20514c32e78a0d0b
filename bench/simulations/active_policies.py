"""What the explored place may ask, for `bench.simulations.active`: each policy gives the chances of
the new items that stand below a user's list.

A new item has at most two events, as for the product's lots. `Asker` ranks as the engine does and
draws from these chances. It knows nothing about answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.catalogue import Catalogue
from learner.counts.block import block_of
from learner.counts.events import past_of
from learner.counts.popularity import COUNT
from learner.fused.histories import history_batch
from learner.ranking.candidates import COLD_EVENTS
from learner.ranking.explore import POOL, draw
from learner.ranking.gate import FEATURES, PER_SIGNAL, GateState, band_of, tired
from learner.ranking.names import SIGNALS
from learner.ranking.rank import most_candidates, prepare, rank_user
from learner.training.learner import Learner
from upwell.ports import RankRequest
from upwell.recommendations import Entry

__all__ = ["PLACES", "POLICIES", "Asker", "New", "Policy", "Standing", "standings"]

PLACES = 10
FEW = 3
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class New:
    """n new items below a user's list, the best-scored first; (n,) each.

    events: 0 to 2. spread: the score's standard deviation, if each of the gate's weights has the
    variance of one that was learned with AdaGrad's sum of squares as its information.
    disagreement: standard deviation of the signals' shares. near: cosine to the nearest item that
    had an event or was asked before.
    """

    score: Numbers
    events: Numbers
    spread: Numbers
    disagreement: Numbers
    near: Numbers


Policy = Callable[[New], Numbers]
"""Chances that sum to 1, (n,)."""


def _pool(worth: Numbers, size: int = POOL) -> Numbers:
    """Each of the `size` with the most worth is as likely; of equals the better-scored."""
    chances = np.zeros(len(worth))
    chances[np.argsort(-worth, kind="stable")[:size]] = 1.0 / min(size, len(worth))
    return chances


def _by_bound(new: New) -> Numbers:
    """The softmax of score and spread together: the gate's scores are logarithms of chances."""
    bound = new.score + new.spread
    chances = np.exp(bound - bound.max())
    return np.asarray(chances / chances.sum())


POLICIES: dict[str, Policy] = {
    "lot of ten": lambda new: _pool(new.score),
    "lot of three": lambda new: _pool(new.score, FEW),
    "fewest events": lambda new: _pool(-new.events),
    "most events": lambda new: _pool(new.events),
    "spread": lambda new: _pool(new.spread),
    "disagreement": lambda new: _pool(new.disagreement),
    "diversity": lambda new: _pool(-new.near),
    "upper bound": _by_bound,
}
"""The first is the product's."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A user's candidates, best first. rows: (n,). score: (n,) as they are ordered. x: (n, F) their
    features less their means, in the band of the user's history.
    """

    rows: NDArray[np.int32]
    score: Numbers
    x: Numbers
    band: int


def standings(learner: Learner, requests: Sequence[RankRequest]) -> Iterator[Standing]:
    """As `learner.ranking.lists` ranks them where nothing is pinned, boosted or searched."""
    ranking, gate, catalogue = learner.ranking, learner.parameters.gate, learner.ranking.catalogue
    gate.grow(len(catalogue))
    state = ranking.state()
    events = ranking.events([one.state.history for one in requests], create=False)
    intents = [one.state.intent for one in requests]
    block = block_of(
        past_of(events),
        [catalogue.rows(one.state.had) for one in requests],
        [one.state.events for one in requests],
        np.arange(len(requests)),
        *ranking.dense(history_batch(events, intents, learner.dimension), None),
    )
    depth, nobody = learner.settings.candidates, np.zeros(0, np.int32)
    most = most_candidates(depth, PLACES)
    for user, request in enumerate(requests):
        found, score = np.zeros(most, np.int32), np.zeros(most)
        x = np.zeros((most, FEATURES), np.float32)
        prepare(state, ranking.scratch, block, user)
        n = rank_user(
            *(state, gate.state, ranking.scratch, catalogue.allowed, block, user, depth),
            *(len(catalogue), PLACES, nobody, found, x, score),
        )
        _wear(request, catalogue, gate.state, found[:n], score[:n])
        order = np.argsort(-score[:n], kind="stable")
        own = x[:n].astype(np.float64)
        yield Standing(
            found[order], score[order], (own - own.mean(axis=0))[order], band_of(block.events[user])
        )


def _wear(
    request: RankRequest,
    catalogue: Catalogue,
    gate: GateState,
    found: NDArray[np.int32],
    score: Numbers,
) -> None:
    """Adds what unanswered impressions do to the scores."""
    for item_id, impressions in request.worn.items():
        row = catalogue.row(item_id)
        if row is not None:
            score[found == row] += tired(gate, impressions)


class Asker:
    """Lists in the engine's place, for `InlineEngine.learner.rank`: the product's own, and on the
    last place what `policy` asks; of everybody, since a list without a lot is the same for all
    policies. None: nothing is asked.
    """

    def __init__(self, learner: Learner, policy: Policy | None, seed: int) -> None:
        self._learner, self._policy, self._seed = learner, policy, seed
        rows = len(learner.ranking.catalogue)
        self._vectors = learner.ranking.catalogue.graph.vectors[:rows]
        self._met, self._near = np.zeros(rows, np.bool_), np.full(rows, -1.0)
        self._events = np.zeros(rows)

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        """As of a `Ranker`."""
        counted = self._learner.ranking.state().popularity.values[COUNT]
        self._events = counted[: len(self._met)].copy()
        self._meet(np.flatnonzero((self._events > 0) & ~self._met))
        found = zip(requests, standings(self._learner, requests), strict=True)
        return [self._list(request, standing) for request, standing in found]

    def _list(self, request: RankRequest, standing: Standing) -> tuple[Entry, ...]:
        shown = [self._entry(standing, place) for place in range(min(PLACES, len(standing.rows)))]
        below = PLACES + np.flatnonzero(
            self._events[standing.rows[PLACES:]] <= COLD_EVENTS
        )  # (n,) places
        if self._policy is None or not len(below):
            return tuple(shown)
        chances = self._policy(self._new(standing, below))
        lot = draw(self._seed, request.lot or "", 1.0)
        drawn = min(int(np.searchsorted(chances.cumsum(), lot, side="right")), len(below) - 1)
        self._meet(standing.rows[below[drawn : drawn + 1]])
        asked = self._entry(standing, int(below[drawn]), float(chances[drawn]))
        return (*shown[:-1], asked)

    def _entry(self, standing: Standing, place: int, chance: float | None = None) -> Entry:
        return Entry(
            item_id=self._learner.ranking.catalogue.ids[standing.rows[place]],
            score=float(standing.score[place]),
            reasons=(),
            propensity=1.0 if chance is None else chance,
            explored=chance is not None,
        )

    def _new(self, standing: Standing, below: NDArray[np.int64]) -> New:
        gate, x = self._learner.parameters.gate.state, standing.x[below]  # (n, F)
        bands = [0, 1 + standing.band]
        weights, variance = gate.weights[bands].sum(axis=0), (1.0 / gate.squares[bands]).sum(axis=0)
        signals = (weights * x)[:, : PER_SIGNAL * len(SIGNALS)]
        shares = signals.reshape(len(x), len(SIGNALS), PER_SIGNAL).sum(axis=2)  # (n, S)
        rows = standing.rows[below]
        return New(
            standing.score[below],
            self._events[rows],
            np.sqrt(x**2 @ variance),
            shares.std(axis=1),
            self._near[rows],
        )

    def _meet(self, rows: NDArray[np.int64] | NDArray[np.int32]) -> None:
        if len(rows):
            likeness = (self._vectors @ self._vectors[rows].T).max(axis=1)
            self._near, self._met[rows] = np.maximum(self._near, likeness), True
