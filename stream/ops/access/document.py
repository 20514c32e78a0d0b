"""All that is held of a user as one JSON-ready object: what the store has, what the learner keeps,
what the topics hold, and what is not in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stream.broker.connect import client_options, models_folder, pseudonym_key
from stream.broker.engines import check_key, first_key
from stream.broker.erasures.topic import read_ledger
from stream.chain.privacy import Pseudonymizer
from stream.explain.evidence import Kept
from stream.explain.held import kept_of
from stream.explain.packed import unpack
from stream.ops.access.states import read_states, state_json
from stream.ops.access.topics import Standing, read_topics
from stream.ops.access.uses import read_uses
from stream.ops.access.whose import LOOKED_AT, Whose
from stream.ops.access.windows import Learned, read_windows
from stream.replay.progress import Moved, unwatched
from upwell.errors import SettingsError
from upwell.events import ControlKind, Topic
from upwell.settings import Settings
from upwell.uses.topics import UseTopic
from upwell.values import UserState

__all__ = ["NOT_IN_HERE", "Found", "export", "pseudonyms_of"]

NOT_IN_HERE = (
    "weights and counts: what was learned of many users at once names nobody",
    "serve's memory: ids of recent events and times of a user's last minute, against noise",
    "the gateway's memory: the newest list, which is on `recommendations` too",
    "Kafka's topics beyond their retention, and bytes that brokers have not yet written over",
    "words that `proposals` and `alerts` quote: they do not say whose they are",
    "snapshots and backups, whatever they are of",
    "what serve workers with other data folders keep of lists (UPWELL_EXPLAIN)",
    "logs, metrics, traces: they name no user",
)
"""What an export does not look at, a sentence each."""


@dataclass(slots=True)
class Found:
    """Of one topic. oldest, newest: appended, UTC ms."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, at: Standing[Any], values: Iterable[Any]) -> None:
        """Of `dead_letters` the newest record of a key counts, and one without a value removes."""
        name = (at.key or b"").decode(errors="replace") if at.topic is Topic.DEAD_LETTERS else None
        if name is not None:
            self.records.pop(name, None)
        for number, value in enumerate(values):
            self.records[name or f"{at.place}/{number}"] = {
                "place": at.place,
                "appended_ms": at.appended_ms,
                "value": value,
            }

    def json(self, whole: bool) -> dict[str, Any]:
        """Counts; `whole`: the records too."""
        times = [one["appended_ms"] for one in self.records.values()]
        counted = {
            "count": len(times),
            "oldest_ms": min(times, default=None),
            "newest_ms": max(times, default=None),
        }
        return counted | ({"records": list(self.records.values())} if whole else {})

    @property
    def newest(self) -> Any:
        """The value that was appended last, None where there is none."""
        last = max(self.records.values(), key=lambda one: one["appended_ms"], default=None)
        return None if last is None else last["value"]


def pseudonyms_of(settings: Settings) -> Pseudonymizer:
    """By the key that the engine uses; none is made here. Raises `SettingsError` where there is
    none, or it is not the key of these topics: nothing of anybody would be found.
    """
    if settings.privacy.key is None and not (settings.data / "key").exists():
        raise SettingsError(
            f"there is no key in {settings.data}, and without it nobody finds what is held of a "
            "user: set UPWELL_DATA to the engine's folder, or UPWELL_KEY to its key"
        )
    made = Pseudonymizer(pseudonym_key(settings))
    first = first_key(client_options(settings.kafka), settings.kafka.prefix)
    if first is not None:
        check_key(first, made.fingerprint(), settings.kafka.prefix)
    return made


def export(
    settings: Settings, user_id: str, events: bool, now_ms: int, moved: Moved = unwatched
) -> dict[str, Any]:
    """user_id: the app's own. events: the records of topics themselves, not their counts alone.
    now_ms: UTC ms. moved: is told of records read.

    Raises `SettingsError`, `BrokerError`, `StoreError`, `ModelError`: what cannot be looked at is
    no part of an answer.
    """
    pseudonyms = pseudonyms_of(settings)
    name = pseudonyms.pseudonym(user_id)
    states = read_states(settings, [name])
    own = states.states[name]
    guests = sorted(own.merged) if own is not None else []
    of_guests = read_states(settings, guests).states if guests else {}
    client, prefix = client_options(settings.kafka), settings.kafka.prefix
    controls = read_topics(client, prefix, [Topic.CONTROLS], moved)
    whose = with_guests(
        Whose(frozenset([user_id]), frozenset([name, *guests])), controls, pseudonyms
    )
    topics = _look(read_topics(client, prefix, LOOKED_AT, moved), whose)
    entry = (read_ledger(client, prefix) or {}).get(name)
    learned = read_windows(models_folder(settings), whose.names)
    kept = [one for each in sorted(whose.names) for one in kept_of(settings, each)]
    uses = read_uses(settings, whose.names)
    return {
        "user_id": user_id,
        "pseudonym": name,
        "at": now_ms,
        "held": any([kept, *(one["kept"] for one in uses.values())])
        or _held([own, *of_guests.values()], learned, topics),
        "forgotten_ms": None if entry is None else entry.appended_ms,
        "store": states.where,
        "state": None if own is None else state_json(own),
        "guests": {
            "ids": sorted(whose.ids - {user_id}),
            "states": {one: state and state_json(state) for one, state in of_guests.items()},
        },
        "learner": {
            "checkpoint": learned.checkpoint,
            "examples_learned": learned.examples,
            "windows": learned.windows,
        },
        "uses": uses,
        "kept_lists": [_kept(one, events) for one in kept],
        "newest_list": topics[Topic.RECOMMENDATIONS].newest,
        "topics": {str(topic): found.json(events) for topic, found in topics.items()},
        "not_in_here": list(NOT_IN_HERE),
    }


def with_guests(
    whose: Whose, controls: Iterable[Standing[Topic]], pseudonyms: Pseudonymizer
) -> Whose:
    """With the apps' ids of guests whom the user's state names: a merge that was asked for and not
    done makes nobody one person.
    """
    asked = {
        str(value.get("from_user"))
        for at in controls
        for value in whose.theirs(Topic.CONTROLS, at.value)
        if value.get("kind") == ControlKind.MERGE_USER
    }
    theirs = {one for one in asked if pseudonyms.pseudonym(one) in whose.names}
    return replace(whose, ids=whose.ids | theirs)


def _look(
    records: Iterable[Standing[Topic | UseTopic]], whose: Whose
) -> Mapping[Topic | UseTopic, Found]:
    topics: dict[Topic | UseTopic, Found] = {topic: Found() for topic in LOOKED_AT}
    for at in records:
        values = whose.theirs(at.topic, at.value)
        if values or at.topic is Topic.DEAD_LETTERS:
            topics[at.topic].add(at, values)
    return topics


def _kept(one: Kept, whole: bool) -> dict[str, Any]:
    """Of a list what it was made of is kept: which, when; `whole`: all that it was asked with."""
    told = {"list_id": one.list_id, "at": one.at}
    return told | ({"request": unpack(one.request)} if whole else {})


def _held(
    states: Collection[UserState | None], learned: Learned, topics: Mapping[Topic | UseTopic, Found]
) -> bool:
    return (
        any(state is not None for state in states)
        or bool(learned.windows)
        or any(found.records for found in topics.values())
    )
