"""`upwell replay` on a real broker says what becomes a dead letter, and fails where much does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient, TopicPartition

from stream.broker.topics import ensure_topics
from tests.e2e.test_transactions import transaction

GOOD = {
    "event_id": "g",
    "ts": 1_700_000_000_000,
    "user_id": "ann",
    "item_id": "i",
    "action": "view",
}
BAD = [{**GOOD, "action": "clik"}, {**GOOD, "ts": 1_700_000_000}, {**GOOD, "action": "look"}]


def replay(
    kafka: str, prefix: str, folder: Path, log: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    own = {"UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix, "UPWELL_DATA": str(folder)}
    line = [sys.executable, "-m", "stream.ops.cli", "replay", str(log), "--json", *words]
    environ = {**os.environ, **own, "COLUMNS": "300"}
    return subprocess.run(line, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.timeout(200)
def test_a_replay_tells_its_dead_letters_and_fails_above_a_share(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    rows = [{"topic": "clicks", "key": "ann", "value": value} for value in BAD]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ensure_topics(prefix, 4, {"bootstrap_servers": kafka})
    done = replay(kafka, prefix, tmp_path / "data", log)
    assert done.returncode == 6
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["sent"], said["bad_lines"]) == (3, 0)
    assert said["dead_letters"] == {"clicks: unknown_value": 2, "clicks: bad_time": 1}
    assert "3 of 3 lines were no events" in done.stderr
    assert done.stderr.count("a dead letter, more of its kind") == 2
    mixed = [*rows[:1], {"topic": "clicks", "key": "ann", "value": GOOD}]
    log.write_text("no line\n" + "".join(json.dumps(row) + "\n" for row in mixed))
    assert replay(kafka, prefix, tmp_path / "data", log).returncode == 6
    allowed = replay(kafka, prefix, tmp_path / "data", log, "--max-dead-letters", "0.7")
    assert allowed.returncode == 0, allowed.stderr
    assert json.loads(allowed.stdout.splitlines()[-1])["bad_lines"] == 1


def lag_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    return re.findall(r"lag (\d+)", done.stderr)


@pytest.mark.timeout(200)
def test_a_replay_shows_as_lag_only_what_can_be_given_out(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    client = {"bootstrap_servers": kafka}
    ensure_topics(prefix, 1, client)
    clicks, reviews = (TopicPartition(prefix + topic, 0) for topic in ("clicks", "reviews"))
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": prefix})
    producer.init_transactions(60)
    transaction(producer, clicks.topic, range(3), commit=True)
    transaction(producer, clicks.topic, range(3, 9), commit=False)
    log = tmp_path / "log.jsonl"
    log.write_text("no line\n")  # nothing is sent
    any_share = ("--max-dead-letters", "1")
    waits = replay(kafka, prefix, tmp_path / "data", log, *any_share)
    assert lag_of(waits) == ["11"]  # to the stable end: a record is among them
    transaction(producer, reviews.topic, range(3), commit=True)
    with closing(KafkaAdminClient(**client)) as admin:
        admin.delete_records({clicks: 4, reviews: 4})
    done = replay(kafka, prefix, tmp_path / "data", log, *any_share)
    assert done.returncode == 0
    assert lag_of(done) == ["0"]
