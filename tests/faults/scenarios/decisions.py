"""A worker dies in the midst of an audit entry, an approval, an erasure: each word has its entry
once, and its effect, all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from stream.broker.audit.log import read_log, read_overrides
from stream.broker.erasures.topic import read_ledger
from stream.chain.audit.verify import Verifier
from stream.chain.privacy import Pseudonymizer
from stream.ops.access.topics import read_topics
from stream.replay.log import LogRecord
from tests.faults.inject import Fault
from tests.faults.scenarios.surroundings import Stage
from tests.faults.scenarios.words import DECISIONS
from tests.faults.worker import Role
from upwell.events import Topic
from upwell.system.clock import now_ms

__all__ = ["decisions"]


def decisions(stage: Stage) -> list[float]:
    """At each point once: an override, its approval by another, and a user who is forgotten; then
    events as ever.
    """
    engine, recoveries = stage.engine, []
    for number, (point, part) in enumerate(
        zip(DECISIONS, stage.parts(len(DECISIONS)), strict=True)
    ):
        name = "serve-0" if point.startswith("serve") else "learn"
        engine.feed([_query(number)])
        engine.settle("somebody who will be forgotten")
        engine.restart_with(name, Fault(point))
        fallen_ms = engine.feed_until_fallen([*_words(number), *part], name)
        role: Role = "learn" if name == "learn" else "serve"
        recoveries.append(engine.recovery_seconds(role, fallen_ms))
    engine.settle("all words")
    _check(stage)
    return recoveries


def _query(number: int) -> LogRecord:
    """It leaves a state, and nothing to learn."""
    user = f"stranger-{number}"
    told = {"event_id": f"q{number}", "ts": now_ms(), "user_id": user, "text": "a storm"}
    return LogRecord(0, Topic.QUERIES, user.encode(), orjson.dumps(told))


def _words(number: int) -> Iterator[LogRecord]:
    """About an item that there is not, so that no list is another."""
    override, user = f"o{number}", f"stranger-{number}"
    said: dict[str, Any] = {"override_id": override, "item_id": "none", "decision": "ban"}
    yield _control(override, f"said-{number}", kind="override", by="ann", **said)
    yield _control(override, f"yes-{number}", kind="approve", by="bob", override_id=override)
    yield _control(user, f"gone-{number}", kind="forget_user", by="ann", user_id=user)


def _control(key: str, event_id: str, **more: object) -> LogRecord:
    told = {"event_id": event_id, "ts": now_ms(), "why": "a test", **more}
    return LogRecord(0, Topic.CONTROLS, key.encode(), orjson.dumps(told))


def _check(stage: Stage) -> None:
    engine, prefix = stage.engine, stage.engine.settings.kafka.prefix
    verifier, entries = Verifier(), dict[str, list[str]]()
    seen = set()
    for partition, offset, value in read_log(engine.client, prefix):
        verifier.take(partition, offset, value)
        told = orjson.loads(value or b"")
        if told["digest"] not in seen:
            seen.add(told["digest"])
            entries.setdefault(told["event_id"], []).append(told["outcome"])
    assert verifier.faults(None) == [], verifier.faults(None)
    numbers = range(len(DECISIONS))
    wanted = {f"said-{n}": ["waits"] for n in numbers} | {f"yes-{n}": ["in_force"] for n in numbers}
    wanted |= {f"gone-{n}": ["done"] for n in numbers}
    assert entries == wanted, entries
    standing = read_overrides(engine.client, prefix)
    assert {name: kept.standing is not None for name, kept in standing.items()} == {
        f"o{n}": True for n in numbers
    }
    ledger = read_ledger(engine.client, prefix) or {}
    names = {Pseudonymizer(engine.key).pseudonym(f"stranger-{n}") for n in numbers}
    assert ledger.keys() == names
    engine.wait(lambda: _confirmed(stage).keys() == wanted_users(), "confirmations of all")


def wanted_users() -> set[str]:
    """Who is to be confirmed."""
    return {f"stranger-{number}" for number in range(len(DECISIONS))}


def _confirmed(stage: Stage) -> Mapping[str, int]:
    """How often each was."""
    found: dict[str, int] = {}
    prefix = stage.engine.settings.kafka.prefix
    for one in read_topics(stage.engine.client, prefix, [Topic.CONFIRMATIONS]):
        user = orjson.loads(one.value or b"")["user_id"]
        found[user] = found.get(user, 0) + 1
    return found
