"""A budget of privacy as the learn process keeps it: what is told stands in a checkpoint and in the
account before anyone hears of it, and nothing takes it back.

Without a budget it does nothing. It knows nothing about noise.
"""

from __future__ import annotations

import logging

from learner.private.account import read_account, write_account
from learner.private.learner import PrivateLearner
from learner.release.folder import ModelsFolder
from learner.training.learner import Learner

__all__ = ["Budget"]

log = logging.getLogger("upwell.learn")


class Budget:
    """Of one learner, with the folder of its checkpoints."""

    def __init__(self, learner: Learner, folder: ModelsFolder) -> None:
        self._learner = learner if isinstance(learner, PrivateLearner) else None
        self._folder = folder
        self._kept = 0
        self._said = False

    def resume(self) -> None:
        """After the learner was restored, or began: it goes on after all that was ever told, by
        whichever checkpoint. Raises `ModelError`.
        """
        if (learner := self._learner) is None:
            return
        before = learner.generation
        learner.go_on_after(read_account(self._folder))
        if learner.generation != before:
            log.warning(
                "the checkpoint is older than what was told of users: what was spent stays spent"
            )
        self._kept = learner.epochs
        self._say()

    @property
    def due(self) -> bool:
        """An epoch was told that no checkpoint holds yet."""
        return self._learner is not None and self._learner.epochs != self._kept

    def keep(self) -> None:
        """After a checkpoint was written, before it is announced. Raises `ModelError`."""
        if (learner := self._learner) is not None:
            write_account(self._folder, learner.generations)
            self._kept = learner.epochs
            self._say()

    def _say(self) -> None:
        """Once that nothing more is learned."""
        if self._learner is None or self._said or not self._learner.exhausted:
            return
        self._said, told = True, self._learner.told
        log.warning(
            "the budget of privacy is spent (epsilon %.2f of %.2f): nothing is learned of new "
            "events any more; lists go on by what was learned (docs/private.md)",
            told["spent"],
            told["epsilon"],
        )
