"""Compiles the kernels before they are needed: the first time takes two minutes, later starts
load them from disk.
"""

from __future__ import annotations

import numpy as np

from learner.ranking.parameters import settle
from learner.release.replica import Replica
from learner.training.learner import Learner
from upwell.ports import RankRequest
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem, Example, Interaction, UserState

__all__ = ["compile_kernels"]

ITEMS = 8


def compile_kernels() -> None:
    """What ranks a small catalogue, and what ranks a large one."""
    for exact in (ITEMS, ITEMS // 2):
        _run(LearnerSettings(fused=False, exact_items=exact))


def _run(settings: LearnerSettings) -> None:
    """Takes a tiny learner through all that a real one does: announce, learn, test, rank, publish,
    follow.
    """
    vectors = np.eye(ITEMS, dtype=np.float32)
    learner = Learner(settings, ITEMS, settings.seed)
    replica = Replica(settings, ITEMS)
    learner.add_items(
        [
            CatalogueItem(
                item_id=f"i{row}", ts=0, title=f"i{row}", vector=vectors[row], revision="warm"
            )
            for row in range(ITEMS)
        ]
    )
    history: tuple[Interaction, ...] = ()
    for number in range(ITEMS // 2):
        event = Interaction(f"e{number}", number, f"i{number}", "review", 5.0, "reviews-0", number)
        example = Example(
            source="reviews-0",
            offset=number,
            user="u",
            event=event,
            history=history,
            intent=vectors[number],
            user_events=number,
            tested=True,
        )
        learner.learn([example])
        history += (event,)
    learner.rank([RankRequest(state=UserState("u", vectors[0], 0, history), k=3)])
    settle(replica.apply(learner.take_delta()))


if __name__ == "__main__":
    compile_kernels()
