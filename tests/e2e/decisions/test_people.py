"""People's decisions in a running engine: an override holds in the next lists of those whom it
covers, waits for a second person, and has one entry on the record though serve is killed again and
again.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer

from stream.broker.audit.log import read_log
from stream.chain.audit.entry import AuditEntry
from stream.chain.audit.verify import Verifier
from tests.e2e.engine import Engine
from upwell.client import UpwellClient
from upwell.events import Control, ControlKind, Decision, Topic
from upwell.settings import KafkaSettings
from upwell.system.clock import now_ms

ITEMS = [f"i{number}" for number in range(12)]
CONTROLS = 120
KILLS = 3


def shown(upwell: UpwellClient, user: str) -> list[str]:
    found = upwell.request_list(user, k=len(ITEMS), timeout=90)
    return [one.item_id for one in found.items]


def until(upwell: UpwellClient, user: str, gone: set[str]) -> None:
    """Lists of the user lack these items and no other."""
    deadline = time.monotonic() + 90
    while (missing := set(ITEMS) - set(shown(upwell, user))) != gone:
        assert time.monotonic() < deadline, f"{user} lacks {missing}, not {gone}"
        time.sleep(0.2)


def log_of(engine: Engine) -> tuple[list[AuditEntry], Verifier]:
    verifier, entries = Verifier(), dict[tuple[int, int], AuditEntry]()
    for partition, offset, value in read_log(engine.client, engine.settings.kafka.prefix):
        verifier.take(partition, offset, value)
        entry = AuditEntry.read(value)
        entries[partition, entry.seq] = entry
    return list(entries.values()), verifier


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_overrides_hold_for_whom_they_are_when_two_people_said_so_and_once(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    random = Random(11)
    own = KafkaSettings(prefix=prefix)
    with (
        Engine(kafka, prefix, tmp_path, UPWELL_APPROVALS="1", UPWELL_EXPLORE="0") as engine,
        UpwellClient(kafka, own) as upwell,
    ):
        for item in ITEMS:
            upwell.item(item, f"title of {item}")
        upwell.flush()
        engine.wait(engine.settled, "the catalogue")
        until(upwell, "ann", set())
        say(upwell, ControlKind.TAG_USER, user_id="zoé", segment="south")
        ban(upwell, "all", "i1")
        ban(upwell, "ann", "i2", user_id="ann")
        ban(upwell, "south", "i3", segment="south")
        ban(upwell, "later", "i4", from_ts=now_ms() + 3_600_000)
        ban(upwell, "waits", "i5")
        for override in ("all", "ann", "south", "later"):
            say(upwell, ControlKind.APPROVE, by="bob", override_id=override)
        say(upwell, ControlKind.APPROVE, by="ann", override_id="waits")
        upwell.flush()
        until(upwell, "ann", {"i1", "i2"})
        until(upwell, "zoé", {"i1", "i3"})
        until(upwell, "joe", {"i1"})

        # more of them, some retried, some on another partition, while serve is killed
        producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
        for number in range(CONTROLS):
            value: dict[str, Any] = {
                "event_id": f"more-{number}",
                "ts": now_ms(),
                "kind": "override",
                "override_id": f"ö{number}",
                "item_id": random.choice(ITEMS),
                "decision": "ban",
                "user_id": f"nobody-{number}",
                "by": "ann",
                "why": "a test",
            }
            raw = orjson.dumps(value)
            key = b"another" if number % 7 == 0 else value["override_id"].encode()
            for _ in range(1 + (number % 5 == 0)):
                producer.send(prefix + Topic.CONTROLS, key=key, value=raw)
            if number % (CONTROLS // KILLS) == 5:
                producer.flush()
                time.sleep(random.random())
                os.kill(engine.supervisor.pids["serve"], signal.SIGKILL)
        producer.close()
        engine.wait(engine.settled, "all that was said to be worked off")
        wanted = {f"ö{number}" for number in range(CONTROLS)}

        def entered() -> bool:
            return wanted <= {str(one.what.get("override_id")) for one in log_of(engine)[0]}

        engine.wait(entered, "what was sent on to its partition")
        engine.wait(engine.settled, "the rest")
        entries, verifier = log_of(engine)
        assert verifier.faults() == []
        said = [str(one.what["override_id"]) for one in entries if one.why == "a test"]
        assert sorted(said) == sorted(wanted)
        assert len({(one.source, one.offset) for one in entries}) == len(entries)
        outcomes = sorted(one.outcome for one in entries if one.kind == "approve")
        assert outcomes == [*(["in_force"] * 4), "refused"]
        until(upwell, "ann", {"i1", "i2"})

        upwell.forget("ann", by="ann", why="asked", timeout=90)
        engine.wait(
            lambda: any(
                (one.kind, one.who, one.what["override_id"]) == ("withdraw", "upwell", "ann")
                for one in log_of(engine)[0]
                if "override_id" in one.what
            ),
            "the override of who was forgotten to be taken back",
        )
        until(upwell, "ann", {"i1"})
        assert log_of(engine)[1].faults() == []


def ban(upwell: UpwellClient, override_id: str, item_id: str, **more: Any) -> None:
    more = {"override_id": override_id, "item_id": item_id, "decision": Decision.BAN, **more}
    say(upwell, ControlKind.OVERRIDE, **more)


def say(upwell: UpwellClient, kind: ControlKind, by: str = "ann", **more: Any) -> Control:
    return upwell.control(kind, by, "because", **more)
