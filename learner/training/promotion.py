"""Promotion: which parameters serve. What was trained is frozen as a candidate, tested beside the
serving weights, then goes out or not.

    live ──freeze──▶ candidate ──as good on targets that neither has learned──▶ serving ──▶ replicas
      ▲                  ├──worse, or nothing proven──▶ superseded by what was trained meanwhile
      │                  └──worse twice in a row, or not finite──▶ dropped; live goes on from it
      └──────────────────────────────────────────────────────────────────┘

Counts go out at once: they are no weights, and both are tested on the same ones. It knows nothing
about Kafka.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.ranking.parameters import ROWS, Arrays, RankingParameters, prefixed, settle
from learner.ranking.ranking import Ranking
from learner.release.delta import ModelDelta
from learner.release.guard import Guard, Ruling, Verdict, not_finite
from learner.release.parts import in_parts
from learner.release.replica import SERVING, serving_of
from learner.testing.figures import CUTOFF
from learner.training.learner import Learner
from upwell.ports import RankRequest
from upwell.values import Example, UserState

__all__ = ["Groups", "Promotion"]

TARGETS_A_TEST = 8
"""Of one batch at most so many targets, evenly spread: what the guard may cost."""
UNTESTED_SCORE = 10.0
"""Sum of NDCG@10.

Before lists have scored so much what is trained goes out untested: what serves then has next to
nothing to lose.
"""

Groups = Callable[[Ranking], Sequence[NDArray[np.bool_]]]


class Promotion:
    """Beside the one learner that trains, from after its `restore`. `test` a batch before it is
    learned, `decide` afterwards.

    untested: sum of NDCG@10 before which what is trained goes out at once. groups: of the guard's
    bounds the rows that are in each, looked at once a candidate. serving: what replicas
    rank by once they have the next delta. counts: candidates by what became of them.
    """

    def __init__(
        self,
        learner: Learner,
        guard: Guard,
        untested: float = UNTESTED_SCORE,
        groups: Groups = lambda ranking: (),
    ) -> None:
        self._learner = learner
        self._guard = guard
        self._untested = untested
        self._groups = groups
        self._masks: Sequence[NDArray[np.bool_]] = ()
        self.serving = learner.untrained()
        self._candidate = learner.untrained()
        self._frozen_at: int | None = None
        self._earned = 0.0  # by lists before the first candidate
        self._ahead: Arrays = {}  # what the candidate has that serving has not
        self._promoted: Arrays = {}  # what serving has that replicas have not
        self._whole = False  # that is all there is, since replicas may have another's
        self.counts: Counter[str] = Counter()
        self._ruled: tuple[Verdict, int] | None = None

    @property
    def version(self) -> str:
        """Of what replicas rank by once they have the next delta."""
        return self._learner.version_with(self.serving)

    @property
    def ruled(self) -> dict[str, Any] | None:
        """JSON-ready: the last `verdict`, and how many `examples` were learned since; None before
        the first.
        """
        if self._ruled is None:
            return None
        verdict, at = self._ruled
        return {"verdict": str(verdict), "examples": self._learner.learned - at}

    @property
    def targets(self) -> int:
        """That the candidate was tested on so far."""
        return self._guard.targets

    @property
    def scores(self) -> tuple[float, float]:
        """Mean NDCG@10 of the candidate and of serving on the candidate's targets so far; nan
        before the first.
        """
        tried = self._guard.targets
        return (
            (self._guard.candidate / tried, self._guard.serving / tried)
            if tried
            else (math.nan, math.nan)
        )

    def test(self, examples: Sequence[Example]) -> None:
        """Asks both for a list before each of a sample of the targets that the learner has
        not learned yet.
        """
        tried = self.sample(examples)
        serving, shown = self._tested(tried, self.serving)
        if self._frozen_at is None:
            self._earned += float(serving.sum())
        else:
            candidate, shown_by_it = self._tested(tried, self._candidate)
            self._guard = self._guard.observe(serving, candidate)
            if self._masks and tried:
                self._guard = self._guard.observe_shares(shown, shown_by_it)

    def sample(self, examples: Sequence[Example]) -> list[Example]:
        """At most `TARGETS_A_TEST` of those that `learn` will test, evenly spread."""
        watermark = self._learner.watermark
        again = self._learner.ranking.returns(self._learner.parameters)
        targets = [
            example
            for example in examples
            if example.tested
            and example.event.liked
            and example.offset > watermark.get(example.source, -1)
            and example.event.item_id is not None
            and (again or example.event.item_id not in example.had)
            and self._learner.may_list(example.event.item_id)
        ]
        return targets[:: max(1, -(-len(targets) // TARGETS_A_TEST))]

    def gains(
        self, targets: Sequence[Example], parameters: RankingParameters
    ) -> NDArray[np.float64]:
        """(n,) NDCG@10 of the lists that these parameters make before each of n targets; nan where
        a score is not finite.
        """
        return self._tested(targets, parameters)[0]

    def _tested(
        self, targets: Sequence[Example], parameters: RankingParameters
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n,) gains, and (g, n) the share of exposure that each bounded group has."""
        requests = [
            RankRequest(state=_state(one, self._learner.dimension), k=CUTOFF, at=one.event.ts)
            for one in targets
        ]
        lists = list(self._learner.ranking.top(requests, parameters))
        gains = [
            _gain(*found, str(one.event.item_id)) for found, one in zip(lists, targets, strict=True)
        ]
        rows = [self._learner.ranking.catalogue.rows(listed) for listed, _ in lists]
        shares = [[_share(some, mask) for some in rows] for mask in self._masks]
        return np.array(gains, np.float64), np.array(shares, np.float64)

    def decide(self) -> Ruling | None:
        """Promotes or drops the candidate, then freezes the next one; None where nothing was
        decided.
        """
        ruling = None
        if self._frozen_at is not None:
            ruling = self._ruling(self._frozen_at)
            if ruling is None:
                return None
            self._act(ruling.verdict)
        if self._learner.learned:
            ruling = self._freeze() or ruling
        return ruling

    def take_deltas(self) -> list[ModelDelta]:
        """The counts since the last ones, and the parameters that were promoted since, if any: in
        parts, each for a record of its own, in this order.
        """
        self._make_room()
        promoted, whole = self._promoted, self._whole
        self._promoted, self._whole = {}, False
        return in_parts(self._learner.take_delta(promoted, self.version, whole))

    def _make_room(self) -> None:
        rows = self._learner.make_room()
        if len(rows):
            for parameters in (self.serving, self._candidate):
                parameters.forget(rows)
            self._ahead, self._promoted = (
                _without(arrays, rows) for arrays in (self._ahead, self._promoted)
            )

    def arrays(self) -> Arrays:
        """What serves, for a checkpoint beside the learner's own arrays."""
        return prefixed(SERVING, self.serving.whole())

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The inverse, on the learner that was restored from the same checkpoint: a new candidate
        is frozen from there, and replicas, who may have heard of later ones, are told what serves.
        """
        self._earned = self._untested
        self._promoted, self._whole = serving_of(arrays), True
        for parameters in (self.serving, self._candidate):
            settle(parameters.take(self._promoted, whole=True))

    def _ruling(self, frozen_at: int) -> Ruling | None:
        verdict = self._guard.verdict
        if verdict is Verdict.WAIT:
            return None
        short = self._guard.short
        return Ruling(verdict, frozen_at, self._guard.targets, *self.scores, short=short)

    def _act(self, verdict: Verdict) -> None:
        self.counts[str(verdict)] += 1
        self._ruled = verdict, self._learner.learned
        if verdict is Verdict.PROMOTE:
            self._promote()
        elif verdict is Verdict.ROLL_BACK:
            self._roll_back()

    def _promote(self) -> None:
        settle(self.serving.take(self._ahead))
        self._promoted = _joined(self._promoted, self._ahead)
        self._ahead = {}

    def _roll_back(self) -> None:
        """Serving is the last good version: the learner and the next candidate go on from it."""
        whole = self.serving.whole()
        self._learner.go_on_from(whole)
        settle(self._candidate.take(whole, whole=True))
        self._ahead = {}

    def _freeze(self) -> Ruling | None:
        """What was trained becomes the next candidate, unless it is not finite: then it is rolled
        back at once.

        At the beginning it goes out untested: lists would be by weights that have learned nothing.
        So does what is told under a budget of privacy: a verdict would tell of users beyond it.
        """
        trained = self._learner.parameters.changes()
        self._guard, self._frozen_at = self._guard.afresh(), self._learner.learned
        self._masks = self._groups(self._learner.ranking)
        broken = tuple(not_finite(trained))
        if not broken:
            settle(self._candidate.take(trained))
            self._ahead = _joined(self._ahead, trained)
            if self._learner.told is not None or self._earned < self._untested:
                self._promote()
                self._frozen_at = None
            return None
        self._act(Verdict.ROLL_BACK)
        return Ruling(Verdict.ROLL_BACK, self._learner.learned, 0, math.nan, math.nan, broken)


def _without(arrays: Arrays, gone: NDArray[np.int64]) -> Arrays:
    """All but what stands in the rows `gone`."""
    kept = dict(arrays)
    for rows, values in ROWS.items():
        if rows in arrays:
            stay = ~np.isin(arrays[rows], gone)
            kept |= {name: arrays[name][stay] for name in (rows, values)}
    return kept


def _joined(older: Arrays, newer: Arrays) -> Arrays:
    """Both, where `newer` holds; of each row its newest value."""
    joined = older | newer
    for rows, values in ROWS.items():
        if rows in older and rows in newer:
            kept = ~np.isin(older[rows], newer[rows])
            joined |= {
                name: np.concatenate([older[name][kept], newer[name]]) for name in (rows, values)
            }
    return joined


def _state(example: Example, dimension: int) -> UserState:
    """The user just before the event."""
    intent = np.zeros(dimension, np.float32) if example.intent is None else example.intent
    return UserState(
        example.user, intent, history=example.history, had=example.had, events=example.user_events
    )


def _share(rows: Sequence[int], mask: NDArray[np.bool_]) -> float:
    """Of a list's exposure, that items of `mask` have: 1 / log2(1 + place) each."""
    weights = 1.0 / np.log2(2.0 + np.arange(len(rows)))
    inside = [row < len(mask) and bool(mask[row]) for row in rows]
    return float(weights[inside].sum() / weights.sum()) if rows else 0.0


def _gain(listed: Sequence[str], finite: bool, item: str) -> float:
    """NDCG@10 of a list for one item; nan where a score in it is not finite."""
    if not finite:
        return math.nan
    return 1.0 / math.log2(2.0 + listed.index(item)) if item in listed else 0.0
