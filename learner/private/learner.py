"""A learner under a budget: it tests itself on each example, adds what bounds let through to sums
that never leave it, and ranks by what is told of them, an epoch at a time.

It knows nothing about who keeps its account beyond its own checkpoints.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.block import Block, Targets
from learner.private.bounds import Bounds
from learner.private.fused import EVERY, FusedLessons
from learner.private.kernel import test_block
from learner.private.moves import WINDOW
from learner.private.plan import Plan
from learner.private.sums import Sums
from learner.ranking.gate import FEATURES
from learner.ranking.parameters import Arrays, RankingParameters, part, prefixed
from learner.ranking.ranking import BLOCK
from learner.release.delta import ModelDelta
from learner.testing.figures import CUTOFF
from learner.testing.prequential import Outcome
from learner.training.learner import Learner, untested
from learner.training.prepare import Prepared, example_batch, prepared
from upwell.errors import ModelError
from upwell.values import Example

if TYPE_CHECKING:
    from upwell.settings import LearnerSettings

__all__ = ["PrivateLearner"]


class PrivateLearner(Learner):
    """plan: the budget. secret: what noise is drawn from; who has it can take the noise away.

    epochs: closed so far. generations: by number, how many epochs each told; one ends where a
    learner goes on from an older state than that which was told last.
    """

    def __init__(
        self, settings: LearnerSettings, dimension: int, seed: int, plan: Plan, secret: bytes
    ) -> None:
        self.plan = plan
        self._secret = secret
        self._fingerprint = hmac.digest(secret, b"upwell private key", hashlib.sha256).hex()[:16]
        super().__init__(replace(settings, fused=plan.fused > 0.0), dimension, seed)

    def _begin(self) -> None:
        super()._begin()
        self.epochs = 0
        self.generation = 0
        self.generations: dict[int, int] = {}
        self._bounds = Bounds(self.plan.events, self.plan.lessons)
        self._sums = Sums(fused=self.plan.fused > 0.0)
        self._trainer = None  # it would learn without bounds
        self._fused: FusedLessons | None = None
        if self.plan.fused:
            self._fused = FusedLessons(self._items, self.settings, self._seed)
            self.parameters = RankingParameters(self.parameters.gate, self._fused.model)
        self._released: Arrays = {}

    # ---- learning

    @property
    def exhausted(self) -> bool:
        """Nothing more may be told, and so nothing is learned."""
        return not self.plan.allows(self._after_next())

    @property
    def told(self) -> dict[str, Any]:
        """JSON-ready: the budget, what of it is spent, and by how many users and epochs."""
        spent = self.plan.spent(self.generations)[1] if self.generations else 0.0
        return {
            "epsilon": self.plan.epsilon,
            "delta": self.plan.delta,
            "spent": min(spent, self.plan.epsilon),
            "epochs": self.epochs,
            "exhausted": self.exhausted,
            "users": len(self._bounds),
        }

    def _after_next(self) -> dict[int, int]:
        return self.generations | {self.generation: self.epochs + 1}

    def _room(self) -> int:
        if self.exhausted:
            return BLOCK
        return max(1, min(BLOCK, self.plan.ends(self.epochs) - self.learned))

    def _learn_block(self, examples: Sequence[Example]) -> None:
        examples = self._taken(examples)
        known = [one for one in examples if self._announced(str(one.event.item_id))]
        if known:
            ones = np.ones(len(known), np.float32)
            found = prepared(known, self.ranking, self.parameters.fused, ones, create=False)
            gradients = self._test(found.block, found.targets)
            if not self.exhausted:
                self._add(known, found, gradients)
        self.learned += len(examples)
        if not self.exhausted and self.learned >= self.plan.ends(self.epochs):
            self._tell()
        self._digest = None

    def _taken(self, examples: Sequence[Example]) -> Sequence[Example]:
        """By a lot for each event, so that nobody's events say which of others' are tested."""
        drawn = [one for one in examples if one.tested]
        taken = {one.event.event_id for one in drawn if _lot(one.event.event_id) < self.share}
        self.tests["drawn"] += len(drawn)
        self.tests["taken"] += sum(one.event.event_id in taken for one in drawn)
        return [
            one if not one.tested or one.event.event_id in taken else untested(one)
            for one in examples
        ]

    def _announced(self, item_id: str) -> bool:
        row = self._catalogue.row(item_id)
        return row is not None and self._catalogue.items[row] is not None

    def _test(self, block: Block, targets: Targets) -> NDArray[np.float32]:
        """(b, F) what each would teach."""
        gate = self.parameters.gate
        gate.grow(len(self._catalogue))
        seen, state, listed = targets.tested, self.ranking.state(), self._catalogue.allowed
        groups = self._groups_of.of(
            block.events[seen], targets.rows[seen], state, listed, self.learned
        )
        outcome = Outcome.empty(len(targets.rows), len(self.figures.names), CUTOFF)
        gradients = np.zeros((len(targets.rows), FEATURES), np.float32)
        test_block(
            state,
            gate.state,
            self.ranking.scratch,
            listed,
            block,
            targets,
            outcome,
            gradients,
            self.settings.candidates,
            len(self._catalogue),
            self._catalogue.listable,
        )
        self.groups.record(outcome.ranks[seen, 0], groups)
        self.figures.record(
            outcome.ranks[seen],
            outcome.top[seen],
            outcome.cold_user[seen],
            outcome.cold_item[seen],
            self._catalogue.listable,
        )
        return gradients

    def _add(
        self,
        examples: Sequence[Example],
        found: Prepared,
        gradients: NDArray[np.float32],
    ) -> None:
        block, targets = found.block, found.targets
        for place, one in enumerate(examples):
            row = int(targets.rows[place])
            if targets.liked[place]:
                number = self._bounds.count(one.user, row)
                if number is not None:
                    history = block.history[block.starts[place] : block.starts[place + 1]]
                    self._sums.count(row, number, history[:WINDOW].tolist())
                    if self._fused is not None and number % EVERY == EVERY - 1:
                        own = np.array([place])
                        batch = example_batch([one], targets.rows[own], found.users.take(own))
                        self._fused.teach(batch, max(1, self.plan.events // EVERY))
            if gradients[place].any() and self._bounds.teach(one.user):
                self._sums.teach(gradients[place], self.plan.lessons)

    def _tell(self) -> None:
        told = self._sums.tell(
            self.plan, self._secret, self.generation, self.epochs, len(self._catalogue)
        )
        self.epochs += 1
        self.generations[self.generation] = self.epochs
        self.parameters.gate.state.weights[0] = told.weights
        counts = {
            "rows": told.rows,
            "values": told.values,
            "movers": told.movers,
            "moves": told.moves,
        }
        self.take_told(counts)
        if self._fused is not None:
            self._fused.tell(self.plan, self._secret, self.generation, self.epochs - 1)
        self._released = prefixed("released.", counts)

    def forget(self, user: str) -> int:
        """What they added stays; they add nothing again."""
        self._bounds.forget(user)
        return super().forget(user)

    # ---- what others take over

    def take_delta(
        self, parameters: Arrays | None = None, version: str | None = None, whole: bool = False
    ) -> ModelDelta:
        """As of `Learner`: no examples, and what an epoch told whole."""
        given = self.parameters.changes() if parameters is None else parameters
        delta = super().take_delta(given | self._released, version, whole)
        self._released = {}
        return delta

    def go_on_after(self, account: Mapping[int, int]) -> None:
        """account: what was told as others know it, by generation. Where this learner knows of
        less, it goes on as another generation: what was spent stays spent.
        """
        behind = any(epochs > self.generations.get(one, 0) for one, epochs in account.items())
        merged = {
            one: max(account.get(one, 0), self.generations.get(one, 0))
            for one in account.keys() | self.generations.keys()
        }
        self.generations = merged
        if behind:
            self.generation = max(merged) + 1

    # ---- checkpoints

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As of `Learner`, with sums and bounds, which no replica reads."""
        own = prefixed("bounds.", self._bounds.arrays()) | prefixed("sums.", self._sums.arrays())
        if self._fused is not None:
            own |= prefixed("fused.", self._fused.arrays())
        return super().arrays() | prefixed("private.", own)

    def meta(self) -> dict[str, Any]:
        """As of `Learner`, with the plan and what was told."""
        return super().meta() | {
            "private": {
                "plan": self.plan.described(),
                "key": self._fingerprint,
                "epochs": self.epochs,
                "generation": self.generation,
                "generations": sorted(self.generations.items()),
            }
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
        """As of `Learner`. Raises `ModelError` too where the budget, or the noise's key, was
        another.
        """
        if (own := meta.get("private")) is None:
            raise ModelError(
                "the checkpoint was learned without a budget of privacy: unset "
                "UPWELL_PRIVATE_EPSILON, or start afresh with another UPWELL_DATA and UPWELL_PREFIX"
            )
        self.plan.check(own["plan"])
        if own["key"] != self._fingerprint:
            raise ModelError(
                "the checkpoint's noise is drawn from another key: set UPWELL_KEY, or bring back "
                "`key` of the data folder, as it was"
            )
        super().restore(arrays, meta)
        found = part(arrays, "private.")
        self._bounds.restore(part(found, "bounds."))
        self._sums.restore(part(found, "sums."))
        if self._fused is not None:
            self._fused.restore(part(found, "fused."))
        self.epochs, self.generation = int(own["epochs"]), int(own["generation"])
        self.generations = {int(one): int(epochs) for one, epochs in own["generations"]}


def _lot(event_id: str) -> float:
    """In [0, 1)."""
    return int.from_bytes(hashlib.sha256(event_id.encode()).digest()[:6], "big") / 2.0**48
