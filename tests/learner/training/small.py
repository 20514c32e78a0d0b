"""A small catalogue and a small log for the learner's tests: drawn from a seed, histories kept as
the stream keeps them.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from learner.ranking.parameters import settle
from learner.release.delta import ModelDelta, decode, encode
from learner.release.replica import Replica
from learner.training.learner import Learner
from upwell.ports import RankRequest
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem, Example, Interaction, UserState

DIMENSION = 16
ITEMS = 120
SETTINGS = LearnerSettings(fused=False, neighbours=32)


def catalogue(count: int = ITEMS) -> list[CatalogueItem]:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        CatalogueItem(
            item_id=f"i{n}",
            ts=0,
            title=f"Title {n}",
            vector=vector,
            revision="r",
            categories=("even",) if n % 2 == 0 else ("odd",),
        )
        for n, vector in enumerate(vectors)
    ]


def log(count: int, seed: int = 1, users: int = 25) -> tuple[list[Example], dict[str, UserState]]:
    """Examples of ratings (users come back to items now and then), and the users as they stand
    after them.
    """
    rng = np.random.default_rng(seed)
    vectors = [item.vector for item in catalogue()]
    past: dict[str, list[Interaction]] = defaultdict(list)
    examples = []
    for offset in range(count):
        user, item = f"u{rng.integers(users)}", int(ITEMS * rng.random() ** 2)
        event = Interaction(
            f"e{offset}",
            offset,
            f"i{item}",
            "review",
            float(rng.integers(1, 6)),
            "reviews-0",
            offset,
        )
        before = past[user]
        examples.append(
            Example(
                source="reviews-0",
                offset=offset,
                user=user,
                event=event,
                history=tuple(before[-50:]),
                intent=vectors[(item + 1) % ITEMS] if before else None,
                user_events=len(before),
                tested=True,
                had=tuple(str(one.item_id) for one in before),
            )
        )
        before.append(event)
    states = {
        user: UserState(
            user=user,
            intent=vectors[len(before)],
            history=tuple(before),
            had=tuple(str(one.item_id) for one in before),
            events=len(before),
        )
        for user, before in past.items()
    }
    return examples, states


def learner_of(examples: list[Example]) -> Learner:
    learner = Learner(SETTINGS, DIMENSION, 7)
    learner.add_items(catalogue())
    learner.learn(examples)
    return learner


def replica_of(*deltas: ModelDelta, settings: LearnerSettings = SETTINGS) -> Replica:
    """One that has the catalogue, and took these deltas as they travel."""
    replica = Replica(settings, DIMENSION)
    replica.add_items(catalogue())
    for delta in deltas:
        settle(replica.apply(decode(encode(delta))))
    return replica


def requests_of(states: dict[str, UserState], k: int = 10) -> list[RankRequest]:
    return [RankRequest(state=states[user], k=k, words="a quiet film") for user in sorted(states)]
