"""`upwell audit` on a real broker: what it shows, what it finds, what it ends with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from stream.ops.commands.manual import MANUAL
from tests.stream.broker.audit.topics import publish
from tests.stream.chain.audit.desk import PARTITIONS, Board, home
from tests.stream.ops.test_cli import upwell
from upwell.events import Topic


@pytest.fixture
def own(kafka: str, prefix: str) -> dict[str, Any]:
    return {
        "UPWELL_KAFKA": kafka,
        "UPWELL_PREFIX": prefix,
        "UPWELL_PARTITIONS": str(PARTITIONS),
    }


def test_it_shows_what_was_said_and_says_when_it_was_changed(
    own: dict[str, Any], kafka: str, prefix: str, tmp_path: Path
) -> None:
    board, client = Board(approvals=1), {"bootstrap_servers": kafka}
    board.say("override", item_id="i1", why="Grund über alles")
    board.say("approve", by="bob")
    publish(board, client, prefix)
    shown = upwell(tmp_path, "audit", "show", "--json", **own)
    assert shown.returncode == 0, shown.stderr
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [(row["who"], row["outcome"]) for row in rows] == [("ann", "waits"), ("bob", "in_force")]
    one = upwell(tmp_path, "audit", "show", "--by", "bob", "--json", **own)
    assert len(one.stdout.splitlines()) == 1
    stands = upwell(tmp_path, "audit", "standing", "--json", **own)
    [override] = json.loads(stands.stdout)["overrides"]
    assert (override["state"], override["item_id"]) == ("in_force", "i1")
    whole = upwell(tmp_path, "audit", "verify", "--json", **own)
    found = json.loads(whole.stdout)
    assert (whole.returncode, found["faults"]) == (0, []), whole.stderr
    assert list(found) == list(MANUAL["audit verify"].fields)
    heads = tmp_path / "heads.json"
    heads.write_text(whole.stdout)
    with KafkaProducer(acks="all", **client) as producer:  # somebody writes another history
        forged = board.audit[0][1].replace(b'"ann"', b'"eve"')
        producer.send(prefix + Topic.AUDIT, value=forged, partition=home("o"))
    wrong = upwell(tmp_path, "audit", "verify", "--heads", str(heads), "--json", **own)
    assert wrong.returncode == 1
    kinds = {one["kind"] for one in json.loads(wrong.stdout)["faults"]}
    assert kinds == {"changed", "forked"}
    assert "changed: entry" in wrong.stderr
