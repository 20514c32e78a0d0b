"""The learner: tests itself on each example, then learns from it, and says what replicas need.

It knows nothing about Kafka, Qdrant or language models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import compress, islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.block import Block, Targets
from learner.counts.influence import Influence
from learner.counts.popularity import LAST
from learner.fused.trained import TrainedModel
from learner.ranking.online import OnlineModel
from learner.ranking.parameters import ROWS, Arrays, RankingParameters, part, prefixed, settle
from learner.ranking.ranking import BLOCK
from learner.release.delta import ModelDelta
from learner.release.journal import Journal
from learner.testing.figures import CUTOFF, Figures
from learner.testing.groups import GroupFigures, TargetGroups
from learner.testing.prequential import Outcome, learn_block
from learner.training.prepare import example_batch, prepared
from learner.training.trainer import Trainer
from upwell.errors import ModelError
from upwell.values import Example

if TYPE_CHECKING:
    from upwell.settings import LearnerSettings

__all__ = ["Learner", "untested"]


class Learner(OnlineModel):
    """Counts, gate, fused model and figures of one stream. It ranks by what it has just learned.

    figures: running prequential figures of the model and its peers; groups: of the model by groups
    of users and items. made_room: ids that nobody announced and that were forgotten for others.
    share: of the tests that were drawn and of the training steps, what there is time for, in (0,
    1]; counts take every example. tests: how many were drawn, and taken.
    """

    def __init__(self, settings: LearnerSettings, dimension: int, seed: int) -> None:
        self.figures = Figures()
        self.groups = GroupFigures(settings.fair_segments)
        self.made_room = 0
        self.share = 1.0
        self.tests = Counter(drawn=0, taken=0)
        self._due = 0.0
        self._seed = seed
        super().__init__(settings, dimension)

    def _begin(self) -> None:
        super()._begin()
        self._trainer = None
        if self.settings.fused:
            model = TrainedModel(self._items, self._seed)
            self.parameters = RankingParameters(self.parameters.gate, model)
            self._trainer = Trainer(model, self.settings, self._seed)
        self._influence = Influence()
        self._groups_of = TargetGroups()
        self._journal = Journal({})

    # ---- learning

    def learn(self, examples: Sequence[Example]) -> None:
        """Tests, then learns, one example after the other; those at or below the watermark of their
        source are skipped.
        """
        fresh = self._fresh(examples)
        while block := list(islice(fresh, self._room())):
            self._learn_block(block)

    def forget(self, user: str) -> int:
        """Removes what is kept of a user (pseudonym): windows of the replay buffer, and how many;
        and that their segments' figures met them. All else learned names no user.
        """
        self.groups.segments.forget(user)
        return 0 if self._trainer is None else self._trainer.buffer.forget(user)

    def may_list(self, item_id: str) -> bool:
        """Whether the item is announced and neither deleted nor banned."""
        row = self._catalogue.row(item_id)
        return row is not None and bool(self._catalogue.allowed[row])

    def _room(self) -> int:
        """Examples that are learned side by side at most."""
        return BLOCK

    def _fresh(self, examples: Iterable[Example]) -> Iterator[Example]:
        for example in examples:
            if example.event.item_id is not None and example.offset > self.watermark.get(
                example.source, -1
            ):
                self.watermark[example.source] = example.offset
                yield example

    def _taken(self, examples: Sequence[Example]) -> Sequence[Example]:
        """The same with no more tests than there is time for, evenly spread."""
        drawn = sum(one.tested for one in examples)
        self.tests["drawn"] += drawn
        if self.share >= 1.0:
            self.tests["taken"] += drawn
            return examples
        return [one if not one.tested or self._take() else untested(one) for one in examples]

    def _take(self) -> bool:
        self._due += self.share
        take = self._due >= 1.0
        self._due -= take
        self.tests["taken"] += take
        return take

    def _learn_block(self, examples: Sequence[Example]) -> None:
        examples = self._taken(examples)
        again, weights = self.ranking.returns(self.parameters), self._weigh(examples)
        found = prepared(examples, self.ranking, self.parameters.fused, weights, again=again)
        self._test_and_count(examples, found.block, found.targets)
        if self.settings.objectives is not None:
            self.ranking.rates.learn(examples, weights, self._catalogue.ensure)
        self.learned += len(examples)
        self._appended()
        if self._trainer is not None:
            batch = example_batch(examples, found.targets.rows, found.users)
            self._trainer.learn(batch, self.share)
        self._journal.add(examples, found.block, found.targets, self._catalogue.ids)
        self._digest = None

    def _test_and_count(self, examples: Sequence[Example], block: Block, targets: Targets) -> None:
        gate = self.parameters.gate
        gate.grow(len(self._catalogue))
        seen, state, listed = targets.tested, self.ranking.state(), self._catalogue.allowed
        groups = self._groups_of.of(
            block.events[seen], targets.rows[seen], state, listed, self.learned
        )
        outcome = Outcome.empty(len(targets.rows), len(self.figures.names), CUTOFF)
        learn_block(
            state,
            gate.state,
            self.ranking.scratch,
            listed,
            block,
            targets,
            outcome,
            self.settings.cold_item_weight,
            self.settings.candidates,
            len(self._catalogue),
            self._catalogue.listable,
        )
        self.groups.record(outcome.ranks[seen, 0], groups, list(compress(examples, seen)))
        self.figures.record(
            outcome.ranks[seen],
            outcome.top[seen],
            outcome.cold_user[seen],
            outcome.cold_item[seen],
            self._catalogue.listable,
        )

    def _weigh(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        if not self.settings.bounded_influence:
            return np.ones(len(examples), np.float32)
        return self._influence.weigh([example.user_events for example in examples])

    def make_room(self) -> NDArray[np.int64]:
        """Where too many ids wait for their announcement, forgets those whose last event is the
        oldest, here and, by the next delta, on every replica; returns their rows, which are free.

        Whoever holds more parameters over the same rows forgets them there.
        """
        rows = self._catalogue.surplus(self.ranking.state().popularity.values[LAST])
        if len(rows):
            self._journal.forgotten += [self._catalogue.ids[row] for row in rows]
            self.made_room += len(rows)
            self._forget_items(rows)
            if self._trainer is not None:
                self._trainer.forget_items(rows)
        return rows

    @property
    def told(self) -> dict[str, Any] | None:
        """JSON-ready: what was spent of a budget of privacy; None where there is none."""
        return None

    @property
    def trained(self) -> dict[str, Any]:
        """JSON-ready: steps, refused, and the losses of the newest steps by part; empty without a
        fused model.
        """
        if self._trainer is None:
            return {}
        done, loss = self._trainer, self._trainer.latest.parts
        return {"steps": done.steps, "refused": done.refused, "loss": dict(loss)}

    @property
    def items(self) -> int:
        """In the catalogue."""
        return len(self._catalogue)

    @property
    def unannounced(self) -> int:
        """Ids that wait for their announcement."""
        return self._catalogue.unannounced

    @property
    def prices(self) -> dict[str, int]:
        """How many items have one, of their own or their category's."""
        return self._catalogue.features.count_prices()

    # ---- what others take over

    def take_delta(
        self, parameters: Arrays | None = None, version: str | None = None, whole: bool = False
    ) -> ModelDelta:
        """What changed since the last take.

        parameters, version, whole: what goes out instead of what this learner ranks by itself.
        """
        self.make_room()
        columns, items, sources = self._journal.columns()
        arrays = prefixed("examples.", columns)
        arrays |= self.parameters.changes() if parameters is None else parameters
        arrays |= self.ranking.rates.changes()
        delta = ModelDelta(
            row_items={
                name: tuple(self._catalogue.ids[row] for row in arrays[name])
                for name in ROWS
                if name in arrays
            },
            version=version or self.version,
            learned=self.learned,
            since=self._journal.since,
            watermark=dict(self.watermark),
            sources=sources,
            items=items,
            arrays=arrays,
            forgotten=tuple(self._journal.forgotten),
            whole=whole,
        )
        self._journal = Journal(self.watermark)
        return delta

    def go_on_from(self, whole: Arrays) -> None:
        """Ranks, and trains on, from the `whole()` of other parameters over the same rows, with an
        optimizer that has seen nothing. Raises `ModelError` where they do not fit.
        """
        settle(self.parameters.take(whole, whole=True))
        self._digest = None
        if self._trainer is not None:
            self._trainer.begin_anew()

    # ---- checkpoints

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything learned, as arrays."""
        found = self._arrays()
        parts: dict[str, Mapping[str, NDArray[Any]]] = {
            "gate.": self.parameters.gate.whole(),
            "figures.": self.figures.arrays(),
            "groups.": self.groups.arrays(),
            "influence.": self._influence.arrays(),
            "fused.": {} if self._trainer is None else self._trainer.arrays(),
        }
        for prefix, arrays in parts.items():
            found |= prefixed(prefix, arrays)
        return found

    def restore(self, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
        """Becomes the learner whose `arrays()` and `meta()` these are. Items may be announced
        before or afterwards.

        Raises `ModelError` where they do not fit.
        """
        if (meta.get("private") is None) != (self.told is None):
            raise ModelError(
                "the checkpoint was learned under a budget of privacy, or without one, and this "
                "learner is not: set UPWELL_PRIVATE_EPSILON as it was, or start afresh with "
                "another UPWELL_DATA and UPWELL_PREFIX"
            )
        self._restore(arrays, meta)
        self.figures.restore(part(arrays, "figures."))
        self.groups.restore(part(arrays, "groups."))
        self._influence.restore(part(arrays, "influence."))
        if self._trainer is not None and (trained := part(arrays, "fused.")):
            self._trainer.restore(trained)
        gate = self.parameters.gate
        settle(gate.take(part(arrays, "gate."), whole=True))
        gate.state.moved[:] = gate.state.bias != 0.0
        self._digest = None
        self._journal = Journal(self.watermark)


def untested(example: Example) -> Example:
    """As it would have come if the lot had fallen otherwise."""
    return replace(example, tested=False, had=(), beside=(), segments=())
