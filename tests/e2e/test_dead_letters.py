"""Dead letters come back on a real engine: applied once, though a replay had died before its mark;
what is still bad is a new letter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from store import open_store
from stream.broker.dead_letters import read_letters
from stream.chain.privacy import Pseudonymizer, load_or_create_key
from tests.docs.commands import ROOT
from tests.e2e.engine import Engine
from upwell.client import UpwellClient
from upwell.codec import dead_letter_value
from upwell.events import Topic
from upwell.recommendations import DeadLetter
from upwell.settings import KafkaSettings

POISON = (
    b'{"event_id": "p", "ts": 1700000000000, "user_id": "ann", "item_id": "i0", "action": "clik"}'
)
CLICK = (
    b'{"event_id": "e", "ts": 1700000000000, "user_id": "ann", "item_id": "i0", "action": "click"}'
)
OLD = DeadLetter(  # as a version that did not know this click would have written it
    reason="unknown_value",
    detail="action",
    topic="clicks",
    partition=0,
    offset=900,
    raw=CLICK,
    ts=1_700_000_000_000,
    key=b"ann",
)


@pytest.mark.timeout(200)
def test_letters_are_replayed_once_and_what_is_still_bad_is_a_new_letter(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    with Engine(kafka, prefix, tmp_path) as engine:
        with UpwellClient(kafka, KafkaSettings(prefix=prefix)) as upwell:
            upwell.item("i0", "a title")
        with KafkaProducer(**engine.client) as producer:
            producer.send(prefix + Topic.CLICKS, key=b"ann", value=POISON)
            producer.send(
                prefix + Topic.DEAD_LETTERS, key=OLD.place.encode(), value=dead_letter_value(OLD)
            )
            producer.send(
                prefix + Topic.CLICKS, key=b"ann", value=CLICK
            )  # a replay of OLD that died before its mark
        engine.wait(lambda: len(read_letters(engine.client, prefix)) == 2, "both letters")
        [poisoned] = [
            one for one in read_letters(engine.client, prefix).values() if one.place != OLD.place
        ]
        assert (poisoned.raw, poisoned.key) == (POISON, b"ann")

        done = command(kafka, prefix, tmp_path, "replay", "--all")
        assert sorted(done["sent"]) == sorted([poisoned.place, OLD.place])
        engine.wait(
            lambda: engine.settled() and len(read_letters(engine.client, prefix)) == 3,
            "the new letter",
        )
        listed = command(kafka, prefix, tmp_path, "list")
        assert listed["replayed"] == 2
        [still] = listed["letters"]
        assert still["key"] not in {poisoned.place, OLD.place}
        assert still["reason"] == "unknown_value"
        assert (
            "replayed already"
            in command(kafka, prefix, tmp_path, "replay", OLD.place)["skipped"][OLD.place]
        )
        assert engine.settled()
        engine.wait(
            lambda: engine.metrics.newest("serve")["counts"].get("duplicates") == 1,
            "the duplicate to be counted",
        )
        run_examples(kafka, prefix, tmp_path)
    pseudonym = Pseudonymizer(load_or_create_key(tmp_path / "key")).pseudonym("ann")
    assert poisoned.user == pseudonym
    store = open_store("edge", folder=tmp_path / "store", dimension=384)
    try:
        [state] = store.read_users([pseudonym])
    finally:
        store.close()
    assert state is not None
    assert [entry.event_id for entry in state.history] == ["e"]
    assert state.events == 1


def run_examples(kafka: str, prefix: str, folder: Path) -> None:
    """The programs of examples/, beside this engine, as their first lines say."""
    own = {"UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix, "UPWELL_DATA": str(folder)}
    for words, said in (
        (["click.py", "eve"], ("eve's list\n  a title", "after a click on a title, ")),
        (["new_user.py", "a title"], ("searched for “a title” and got, ", "\n  a title")),
    ):
        done = subprocess.run(
            [sys.executable, ROOT / "examples" / words[0], *words[1:]],
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert all(part in done.stdout for part in said), done.stdout


def command(kafka: str, prefix: str, folder: Path, *words: str) -> dict[str, Any]:
    """What `upwell dead-letters` prints as JSON."""
    own = {"UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix, "UPWELL_DATA": str(folder)}
    line = [sys.executable, "-m", "stream.ops.cli", "dead-letters", *words, "--json"]
    done = subprocess.run(
        line, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
