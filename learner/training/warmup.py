"""Compiles the kernels before they are needed: the first time takes a minute or two, on two cores,
later starts load them from disk.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from learner.catalogue.kernel import kernels_folder
from learner.ranking.parameters import settle
from learner.release.replica import Replica
from learner.training.learner import Learner
from upwell.ports import RankRequest
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem, Example, Interaction, UserState

__all__ = ["compile_kernels"]

ITEMS = 8
LISTS = "lists"
"""Argument of the process that compiles what announces and ranks, while the other one learns."""


def compile_kernels() -> None:
    """What ranks a small catalogue, and what ranks a large one. Where all was compiled before, one
    process does; what another did not come to is compiled here.
    """
    done = kernels_folder() / "compiled"
    command = [sys.executable, "-P", "-m", "learner.training.warmup", LISTS]
    beside = None if done.exists() else subprocess.Popen(command)
    try:
        small = Engine(exact=ITEMS)
        small.announce()
        small.learn()
        if beside is not None:
            beside.wait()
    finally:
        if beside is not None:
            beside.kill()
    small.rank()
    _compile_lists().learn()
    done.parent.mkdir(parents=True, exist_ok=True)
    done.touch()


def _compile_lists() -> Engine:
    """Of a large catalogue."""
    large = Engine(exact=ITEMS // 2)
    large.announce()
    large.rank()
    return large


class Engine:
    """A tiny learner that is taken through all that a real one does. exact: items up to which a
    catalogue is small.
    """

    def __init__(self, exact: int) -> None:
        self._settings = LearnerSettings(fused=False, exact_items=exact)
        self._vectors = np.eye(ITEMS, dtype=np.float32)
        self._learner = Learner(self._settings, ITEMS, self._settings.seed)
        self._history: tuple[Interaction, ...] = ()

    def announce(self) -> None:
        """All items."""
        self._learner.add_items(
            [
                CatalogueItem(
                    item_id=f"i{row}", ts=0, title=f"i{row}", vector=vector, revision="warm"
                )
                for row, vector in enumerate(self._vectors)
            ]
        )

    def learn(self) -> None:
        """Tests, learns, publishes, and a replica follows."""
        replica = Replica(self._settings, ITEMS)
        for number in range(ITEMS // 2):
            event = Interaction(
                f"e{number}", number, f"i{number}", "review", 5.0, "reviews-0", number
            )
            example = Example(
                source="reviews-0",
                offset=number,
                user="u",
                event=event,
                history=self._history,
                intent=self._vectors[number],
                user_events=number,
                tested=True,
            )
            self._learner.learn([example])
            self._history += (event,)
        settle(replica.apply(self._learner.take_delta()))

    def rank(self) -> None:
        """A list of three."""
        state = UserState("u", self._vectors[0], 0, self._history)
        self._learner.rank([RankRequest(state=state, k=3)])


if __name__ == "__main__":
    if sys.argv[1:] == [LISTS]:
        _compile_lists()
    else:
        compile_kernels()
