"""Upwell's learner over a log with fake events: what lists are worth to honest users, and how often
an item stands in them. Events are folded as serve folds them; lists are made before each block is
learned, whether or not what they are tested on is learned then.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson

from bench.attacks.profiles import FAKE
from bench.peers.run import COLD_EVENTS
from bench.prequential import Log
from learner.testing.figures import CUTOFF
from learner.training.learner import Learner
from stream.chain.fold import Bounds, Incoming, empty_state, fold_events
from stream.quarantine.quarantine import Quarantine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import Encoder, RankRequest
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem, Example, Interaction, UserState, Vector

__all__ = ["Folder", "Outcome", "caught", "is_fake", "run", "state_of"]

BLOCK = 64
BOUNDS = Bounds(history=200, had=100_000, half_life_ms=30 * 86_400_000.0)
Keep = Callable[[Learner, Sequence[Example]], Sequence[Example]]
"""What a learner learns of the next block."""


@dataclass
class Outcome:
    """gains: NDCG@10 of each honest target, by slice. shown: places in tested top tens, by item.
    held: users of whom something was held, for an item with an alarm; honest, fake: users that
    there are.
    """

    gains: dict[str, list[float]] = field(
        default_factory=lambda: {"all": [], "cold_user": [], "warm": []}
    )
    shown: Counter[str] = field(default_factory=Counter)

    def ndcg10(self) -> dict[str, float]:
        return {
            name: round(float(np.mean(some)), 4) if some else 0.0
            for name, some in self.gains.items()
        }

    def exposure(self, item_id: str) -> float:
        """The item's share of the places in all tested top tens."""
        return self.shown[item_id] / max(1, self.shown.total())


class Folder:
    """Makes examples of a log's events. The texts of a log's items are encoded once."""

    def __init__(self, log: Log, encoder: Encoder) -> None:
        values = {one["item_id"]: one for one in (orjson.loads(r.value) for r in log.items)}
        texts = [f"{one.get('title') or ''}. {one.get('text') or ''}" for one in values.values()]
        vectors = encoder.encode(texts)
        self._encoder = encoder
        self._vectors: dict[str, Vector] = dict(zip(values, vectors, strict=True))
        self.items = [
            CatalogueItem(
                item_id=item_id,
                ts=0,
                title=one.get("title") or "",
                text=one.get("text"),
                categories=tuple(one.get("categories") or ()),
                vector=self._vectors[item_id],
                revision=encoder.revision,
            )
            for item_id, one in values.items()
        ]
        self._texts: dict[str, Vector] = {}

    def examples(self, events: Sequence[LogRecord]) -> Iterator[Example]:
        """In the order of the events, each with its user's state before it."""
        states: dict[str, UserState] = {}
        for offset, record in enumerate(events):
            value = orjson.loads(record.value)
            user = str(value["user_id"])
            kind = "review" if record.topic is Topic.REVIEWS else str(value["action"])
            event = Interaction(
                value["event_id"],
                value["ts"],
                value["item_id"],
                kind,
                value.get("rating"),
                "reviews-0",
                offset,
            )
            state = states.get(user) or empty_state(user, self._encoder.dimension)
            incoming = Incoming(event, self._text(value.get("text")), True)
            folded = fold_events(state, [incoming], self._vectors.get, BOUNDS)
            states[user] = folded.state
            yield from folded.examples

    def _text(self, text: str | None) -> Vector | None:
        if not text:
            return None
        if text not in self._texts:
            self._texts[text] = self._encoder.encode([text])[0]
        return self._texts[text]


def is_fake(example: Example) -> bool:
    """Not an event of the log."""
    return example.event.event_id.startswith(FAKE)


def run(
    items: Sequence[CatalogueItem],
    examples: Sequence[Example],
    settings: LearnerSettings,
    warmup: int,
    every: int = 1,
    keep: Keep | None = None,
) -> Outcome:
    """warmup: honest events before what is counted. every: so manyth honest target is tested. keep:
    what is learned of each block, all of it where it is left out.
    """
    learner = Learner(settings, len(items[0].vector), settings.seed)
    learner.add_items(items)
    outcome, seen = Outcome(), 0
    for start in range(0, len(examples), BLOCK):
        block = examples[start : start + BLOCK]
        honest = [one for one in block if not is_fake(one)]
        if seen >= warmup:
            _test(learner, honest[::every], outcome)
        seen += len(honest)
        learner.learn(block if keep is None else list(keep(learner, block)))
    return outcome


def _test(learner: Learner, examples: Sequence[Example], outcome: Outcome) -> None:
    targets = [one for one in examples if one.event.liked and one.event.item_id not in one.had]
    requests = [RankRequest(state=state_of(one, learner.dimension), k=CUTOFF) for one in targets]
    found = learner.ranking.top(requests, learner.parameters)
    for one, (listed, _) in zip(targets, found, strict=True):
        outcome.shown.update(listed)
        item = str(one.event.item_id)
        gain = 1.0 / math.log2(2.0 + listed.index(item)) if item in listed else 0.0
        cold = one.user_events <= COLD_EVENTS
        for name in ("all", "cold_user" if cold else "warm"):
            outcome.gains[name].append(gain)


def state_of(example: Example, dimension: int) -> UserState:
    """The user just before the event."""
    intent = np.zeros(dimension, np.float32) if example.intent is None else example.intent
    return UserState(
        example.user, intent, history=example.history, had=example.had, events=example.user_events
    )


def caught(quarantine: Quarantine, pushed: str, examples: Sequence[Example]) -> dict[str, float]:
    """Of the users of whom something was held for an item with an alarm: the share that is fake
    (precision); of the fake ones, the share that was held (recall). of_pushed: the precision among
    those held for the pushed item.
    """
    fake = {one.user for one in examples if is_fake(one)}
    found = {one.example.user for one in quarantine.suspects()}
    own = {one.example.user for one in quarantine.suspects() if one.item_id == pushed}
    return {
        "precision": round(len(found & fake) / len(found), 3) if found else 0.0,
        "recall": round(len(found & fake) / len(fake), 3) if fake else 0.0,
        "of_pushed": round(len(own & fake) / len(own), 3) if own else 0.0,
    }
