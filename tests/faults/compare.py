"""What was lost or counted twice: the engine's users, examples and lists against those of the
undisturbed run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import orjson

from learner.ranking.online import OnlineModel
from learner.ranking.parameters import settle
from learner.release import checkpoint
from learner.release.replica import Replica
from learner.training.learner import Learner
from stream.broker.connect import models_folder, open_settings_store
from stream.serve.model_reader import ModelReader
from tests.faults.engine import Engine
from tests.faults.replayed import Expected
from tests.faults.worker import DIMENSION
from tests.learner.counted import item_events
from tests.sources import by_partition
from upwell.events import Topic
from upwell.values import UserState

__all__ = [
    "TOLERANCE",
    "Finding",
    "Outcome",
    "compare",
    "difference_of_lists",
    "difference_of_users",
]

TOLERANCE = 1e-3
"""Of each component of an intent vector, whose length is that of the sum of a user's events:
folding in another order rounds otherwise.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """lost: effects that are missing. doubled: those there too often. said: each in words.
    deviation: the largest of intents.
    """

    lost: int
    doubled: int
    said: tuple[str, ...]
    deviation: float


def compare(engine: Engine, expected: Expected) -> Outcome:
    """The engine must have settled and been stopped."""
    states = _states(engine, expected)
    findings = [
        one
        for user_id, state in states.items()
        for one in difference_of_users(user_id, state, expected.users[user_id])
    ]
    findings += _examples("learner", _saved(engine), expected)
    findings += _examples("replica", _replica(engine), expected)
    findings += difference_of_lists(_newest_lists(engine), expected.users)
    deviations = (
        float(np.abs(state.intent - expected.users[user_id].intent).max())
        for user_id, state in states.items()
        if state
    )
    return Outcome(
        lost=sum(max(-count, 0) for count, _ in findings),
        doubled=sum(max(count, 0) for count, _ in findings),
        said=tuple(f"{count:+d} {what}" for count, what in findings),
        deviation=max(deviations, default=0.0),
    )


Finding = tuple[int, str]
"""How many effects too few (negative) or too many, and which."""


def difference_of_users(
    user_id: str, state: UserState | None, expected: UserState
) -> Iterator[Finding]:
    """What a stored state lacks, and what it has too much of."""
    if state is None:
        yield -expected.events, f"user {user_id} is not stored"
        return
    history = [entry.event_id for entry in state.history]
    wanted = [entry.event_id for entry in expected.history]
    if history != wanted:
        yield from _difference(
            f"user {user_id}: history",
            len(set(wanted) - set(history)),
            len(history) - len(set(history) & set(wanted)),
        )
    if state.events != expected.events:
        yield state.events - expected.events, f"user {user_id}: events counted"
    if set(state.had) != set(expected.had):
        yield from _difference(
            f"user {user_id}: items had",
            len(set(expected.had) - set(state.had)),
            len(set(state.had) - set(expected.had)),
        )
    for difference, source in _offsets(state.watermark, expected.watermark):
        yield difference, f"user {user_id}: watermark of {source}"
    if not np.allclose(state.intent, expected.intent, atol=TOLERANCE):
        yield -1, f"user {user_id}: intent is another"


def _difference(what: str, missing: int, extra: int) -> Iterator[Finding]:
    if missing:
        yield -missing, what
    if extra:
        yield extra, what
    if not missing and not extra:
        yield -1, f"{what}: another order"


def _examples(who: str, learner: OnlineModel, expected: Expected) -> Iterator[Finding]:
    events = item_events(learner)
    for item_id in sorted({*events, *expected.item_events}):
        if difference := events.get(item_id, 0) - expected.item_events.get(item_id, 0):
            yield difference, f"{who}: examples of item {item_id}"
    for difference, source in _offsets(learner.watermark, expected.watermark):
        yield difference, f"{who}: watermark of {source}"


def _offsets(found: Mapping[str, int], expected: Mapping[str, int]) -> Iterator[Finding]:
    """Of sources that differ. The undisturbed run knows no topic ids; nothing is expected where
    topics were made anew.
    """
    if not expected:
        return
    named = by_partition(found)
    for source in sorted({*named, *expected}):
        if difference := named.get(source, -1) - expected.get(source, -1):
            yield difference, source


def difference_of_lists(
    newest: Mapping[str, Mapping[str, int]], users: Mapping[str, UserState]
) -> Iterator[Finding]:
    """newest: what each user's newest list covers."""
    for user_id, state in users.items():
        covered = newest.get(user_id, {})
        late = sum(
            1 for source, offset in state.watermark.items() if covered.get(source, -1) < offset
        )
        if late:
            yield -late, f"user {user_id}: no list covers the newest event"


def _states(engine: Engine, expected: Expected) -> dict[str, UserState | None]:
    store = open_settings_store(engine.settings, DIMENSION)
    try:
        stored = store.read_users([state.user for state in expected.users.values()])
    finally:
        store.close()
    return dict(zip(expected.users, stored, strict=True))


def _saved(engine: Engine) -> Learner:
    """The learner as its newest checkpoint has it."""
    newest = checkpoint.latest(models_folder(engine.settings))
    assert newest is not None
    settings = engine.settings.learner
    learner = Learner(settings, DIMENSION, settings.seed)
    arrays, meta = checkpoint.load(models_folder(engine.settings), newest.name)
    learner.restore(arrays, meta["learner"])
    return learner


def _replica(engine: Engine) -> Replica:
    """As a serve worker has it that followed `models` from the first record on, through all
    restarts of learn.
    """
    settings = engine.settings.learner
    replica = Replica(settings, DIMENSION)
    reader = ModelReader(replica, models_folder(engine.settings))
    for record in engine.seen(Topic.MODELS):
        settle(reader.read(record))
    return replica


def _newest_lists(engine: Engine) -> dict[str, Mapping[str, int]]:
    """user_id -> what the list that stands last on the user's partition covers: per source, an
    offset.
    """
    newest: dict[str, Mapping[str, int]] = {}
    for record in engine.seen(Topic.RECOMMENDATIONS):
        one = orjson.loads(record.value or b"{}")
        newest[one["user_id"]] = one["covers"]
    return newest
