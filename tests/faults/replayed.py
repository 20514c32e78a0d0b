"""What the harness replays: a slice of the MovieLens log, and what a quiet run makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import orjson

from stream.chain.privacy import Pseudonymizer
from stream.chain.validate import decode
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord, read_log
from tests.faults.worker import encoder
from tests.learner.counted import item_events
from upwell.events import Query, Review, Topic
from upwell.settings import Settings
from upwell.values import UserState

__all__ = ["Expected", "Slice", "bundled_slice", "undisturbed", "value", "without_offsets"]

MOVIELENS = Path(__file__).parents[2] / "data" / "movielens" / "events.jsonl.gz"
FOREVER_MS = 1 << 53
EVERY = 40
"""Users of the log come in bursts of dozens of events; every 40th event makes hundreds of users
take turns.
"""


@dataclass(frozen=True, slots=True)
class Slice:
    """events: of users, in the log's order. items: the announcements of those they name."""

    items: tuple[LogRecord, ...]
    events: tuple[LogRecord, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """users: the app's id to the state. item_events: item to examples learned. watermark: the
    learner's, per source.
    """

    users: Mapping[str, UserState]
    item_events: Mapping[str, int]
    watermark: Mapping[str, int]


def value(record: LogRecord) -> dict[str, object]:
    """What the app said."""
    decoded: dict[str, object] = orjson.loads(record.value)
    return decoded


def bundled_slice(events: int) -> Slice:
    """So many events of the bundled log."""
    lines = [line for line in read_log(MOVIELENS) if isinstance(line, LogRecord)]
    of_users = (line for line in lines if line.topic is not Topic.ITEMS)
    taken = tuple(islice(of_users, 0, events * EVERY, EVERY))
    assert len(taken) == events, f"the log has no {events * EVERY} events"
    named = {value(event).get("item_id") for event in taken}
    return Slice(
        tuple(
            line for line in lines if line.topic is Topic.ITEMS and value(line)["item_id"] in named
        ),
        taken,
    )


def undisturbed(
    settings: Settings, key: bytes, items: Sequence[LogRecord], events: Sequence[LogRecord]
) -> Expected:
    """The same log through the inline engine, which nobody kills. `key`: of the pseudonyms."""
    inline = InlineEngine(settings, encoder(), key)
    for _ in inline.play([*items, *events]):
        pass
    pseudonyms = Pseudonymizer(key)
    users = {user_id: pseudonyms.pseudonym(user_id) for user_id in _users(events)}
    states = inline.users.read(list(users.values()))
    return Expected(
        {user_id: states[user] for user_id, user in users.items()},
        item_events(inline.learner),
        inline.learner.watermark,
    )


def without_offsets(expected: Expected) -> Expected:
    """For a run in which offsets begin anew: they are not to be compared."""
    users = {name: replace(state, watermark={}) for name, state in expected.users.items()}
    return replace(expected, users=users, watermark={})


def _users(events: Sequence[LogRecord]) -> list[str]:
    """Of those events that are ones."""
    decoded = (decode(event.topic, 0, 0, event.value, FOREVER_MS) for event in events)
    return sorted({one.user_id for one in decoded if isinstance(one, Review | Query)})
