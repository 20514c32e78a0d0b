"""The fused model as the learner uses it: interactions to arrays, when to train, what a replica is
sent. Ids stay outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.fused.model import KINDS, LENGTH, FusedModel, HistoryBatch
from learner.training.buffer import ExampleBatch
from learner.training.trainer import Trainer
from upwell.settings import LearnerSettings
from upwell.values import Example, Interaction, Vector

__all__ = ["Fusion", "Placed"]

Placed = Sequence[tuple[int, Interaction]]
"""A history, oldest first, each interaction with its item's row."""

_CODE = {kind: code for code, kind in enumerate(KINDS)}


class Fusion:
    """Model and trainer of one learner; a replica has them too, and trains nothing."""

    def __init__(self, settings: LearnerSettings, dimension: int, seed: int) -> None:
        self._settings = settings
        self.model = FusedModel(settings, dimension, seed)
        self._trainer = Trainer(self.model, settings, seed)
        self._waiting = 0
        self._published_steps = 0
        self.ready = False

    def announce(self, rows: NDArray[np.int64], vectors: NDArray[np.float32], size: int) -> None:
        """rows: (n,) whose text vectors (n, d) are new. size: rows there are now."""
        self._widen(size)
        if len(rows):
            self.model.set_vectors(rows, vectors)

    def scores(
        self, histories: Sequence[Placed], intents: Sequence[Vector | None], size: int
    ) -> NDArray[np.float32]:
        """(b, size) the model's score of every item for b users."""
        self._widen(size)
        return (
            self.model.user_vectors(self._histories(histories, intents))
            @ self.model.item_matrix().T
        )

    def learn(
        self,
        examples: Sequence[Example],
        rows: NDArray[np.int32],
        histories: Sequence[Placed],
        size: int,
    ) -> None:
        """Put examples in the buffer; train a few steps each `fused_every` of them."""
        self._widen(size)
        events = [example.event for example in examples]
        batch = ExampleBatch(
            users=[example.user for example in examples],
            before=np.array([example.user_events for example in examples], np.int64),
            histories=self._histories(histories, [example.intent for example in examples]),
            rows=rows,
            kinds=np.array([_CODE[event.kind] for event in events], np.uint8),
            ratings=np.array(
                [np.nan if event.rating is None else event.rating for event in events], np.float32
            ),
            ts=np.array([event.ts for event in events], np.int64),
        )
        self._trainer.add(batch)
        self._waiting += len(examples)
        if self._waiting >= self._settings.fused_every:
            self._waiting %= self._settings.fused_every
            self._trainer.train(self._settings.fused_steps)
            self.ready = True

    def forget(self, user: str) -> int:
        """Remove a user (pseudonym) from the buffer; how many windows are gone. What the weights
        learned stays.
        """
        return self._trainer.forget(user)

    def count(self, rows: NDArray[np.int32], size: int) -> None:
        """On a replica: what the learner counted."""
        self._widen(size)
        self.model.count(rows)

    def published(self) -> dict[str, NDArray[Any]]:
        """What a replica needs since the last call; empty where nothing was trained."""
        if self._trainer.steps == self._published_steps:
            return {}
        self._published_steps = self._trainer.steps
        return self.model.published()

    def follow(self, arrays: Mapping[str, NDArray[Any]], size: int) -> None:
        """On a replica: take over `published()`, its rows already this process's."""
        self._widen(size)
        self.model.apply_published(arrays)
        self.ready = True

    def following(self, arrays: Mapping[str, NDArray[Any]], size: int) -> Iterator[None]:
        """`follow` in bounded steps; all of it takes effect with the last."""
        self._widen(size)
        yield from self.model.applying_published(arrays)
        self.ready = True

    def served(self) -> dict[str, NDArray[Any]]:
        """All that ranks: `adopt` makes another model rank the same."""
        return {"ready": np.array([self.ready]), **self.model.served()}

    def adopt(self, arrays: Mapping[str, NDArray[Any]], size: int) -> None:
        """Become the model whose `served()` these are; training goes on from there, with an
        optimizer that has seen nothing.
        """
        self._widen(size)
        self.model.forget_identities()
        self.model.apply_published(arrays)
        self._trainer.begin_anew()
        self.ready = bool(arrays["ready"][0])

    def share_text(self, other: Fusion, rows: NDArray[np.int64], size: int) -> None:
        """Read the text vectors that `other` was given for `rows`, instead of keeping them a second
        time.
        """
        self._widen(size)
        self.model.share_text(other.model, rows)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything learned."""
        own = {"waiting": np.array([self._waiting], np.int64), "ready": np.array([self.ready])}
        return own | {f"trainer.{name}": array for name, array in self._trainer.arrays().items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The inverse; text vectors are announced afterwards."""

        def part(prefix: str) -> dict[str, NDArray[Any]]:
            return {
                name.removeprefix(prefix): array
                for name, array in arrays.items()
                if name.startswith(prefix)
            }

        self._waiting = int(arrays["waiting"][0])
        self.ready = bool(arrays["ready"][0])
        self._trainer.restore(part("trainer."))

    def _widen(self, size: int) -> None:
        if size > len(self.model):
            self.model.add_items(
                np.zeros((size - len(self.model), self.model.dimension), np.float32)
            )

    def _histories(
        self, histories: Sequence[Placed], intents: Sequence[Vector | None]
    ) -> HistoryBatch:
        shape = (len(histories), LENGTH)
        rows, kinds = np.full(shape, -1, np.int32), np.zeros(shape, np.uint8)
        ratings, ts = np.full(shape, np.nan, np.float32), np.zeros(shape, np.int64)
        for user, history in enumerate(histories):
            for place, (row, entry) in enumerate(history):
                rows[user, place], kinds[user, place], ts[user, place] = (
                    row,
                    _CODE[entry.kind],
                    entry.ts,
                )
                if entry.rating is not None:
                    ratings[user, place] = entry.rating
        nothing = np.zeros(self.model.dimension, np.float32)
        wishes = np.stack(
            [nothing if intent is None else np.asarray(intent, np.float32) for intent in intents]
        )
        return HistoryBatch(
            rows,
            kinds,
            ratings,
            ts,
            np.array([min(len(one), LENGTH) for one in histories], np.int64),
            wishes,
        )
