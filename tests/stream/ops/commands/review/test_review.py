"""`upwell review` on a real broker: the queue, and a decision that waits until a worker rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer

from stream.broker.connect import client_options
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override
from stream.chain.overrides.record import encode_kept
from stream.ops.review.desk import Said, decide, read_queue
from tests.stream.ops.access.held import settings_of
from tests.stream.ops.commands.test_json import said
from tests.stream.ops.test_cli import upwell
from upwell.errors import BrokerError
from upwell.events import Control, Decision, Topic
from upwell.settings import Settings
from upwell.system.clock import now_ms


class Worker:
    """In a client's and a worker's place: what is sent stands, or waits for somebody."""

    def __init__(self, own: Settings, needs: int, rules: bool = True) -> None:
        self._own, self._needs, self._rules = own, needs, rules

    def send(self, control: Control) -> None:
        if not self._rules:
            return
        names = ("item_id", "decision", "by", "why", "event_id", "until_ts", "override_id")
        made = Override.of({**{name: getattr(control, name) for name in names}, "at": control.ts})
        waits = bool(self._needs)
        kept = Kept(
            seq=0,
            needs=self._needs,
            standing=None if waits else made,
            waiting=made if waits else None,
        )
        with KafkaProducer(acks="all", **client_options(self._own.kafka)) as producer:
            key = str(control.override_id).encode()
            topic = self._own.kafka.prefix + Topic.OVERRIDES
            producer.send(topic, key=key, value=encode_kept(kept)).get(30)

    def flush(self) -> None:
        pass


@pytest.fixture
def own(kafka: str, prefix: str, tmp_path: Path) -> Settings:
    made = settings_of(kafka, prefix, tmp_path / "data")
    with KafkaProducer(acks="all", **client_options(made.kafka)) as producer:
        for n in range(5):
            told: dict[str, Any] = {"event_id": f"e{n}", "ts": now_ms(), "item_id": "i ü"}
            value = orjson.dumps({**told, "user_id": f"u{n}", "action": "dislike"})
            producer.send(prefix + Topic.CLICKS, key=b"u", value=value).get(30)
    return made


def test_it_is_in_the_queue_until_somebody_decides(
    own: Settings, kafka: str, prefix: str, tmp_path: Path
) -> None:
    told: dict[str, Any] = {
        "UPWELL_KAFKA": kafka,
        "UPWELL_PREFIX": prefix,
        "UPWELL_PARTITIONS": "2",
    }
    done = upwell(tmp_path, "review", "list", "--json", **told)
    assert done.returncode == 0, done.stderr
    [row] = said(done, "review list")["items"]
    assert (row["item_id"], row["reasons"], row["decided"]) == ("i ü", ["reported"], None)
    assert "5 users speak against it" in done.stderr
    item = Said("i ü", Decision.KEEP, "ann", "looked at it", 1.0)
    for needs, state in ((1, "waits"), (0, "in_force")):
        kept = decide(own, Worker(own, needs), item, now_ms(), 30.0)  # type: ignore[arg-type]
        assert (kept.waiting is not None) == (state == "waits")
        one = said(upwell(tmp_path, "review", "show", "i ü", "--json", **told), "review show")
        assert (one["decided"]["state"], one["decided"]["by"]) == (state, "ann")
    [row] = read_queue(own, 1.0, now_ms())
    assert row.decided is not None
    empty = upwell(tmp_path, "review", "list", "--json", **told)
    assert said(empty, "review list")["items"] == []
    wrong = upwell(tmp_path, "review", "show", "none", **told)
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_where_nobody_rules_it_says_so(own: Settings) -> None:
    item = Said("i", Decision.BAN, "ann", "why", 1.0)
    with pytest.raises(BrokerError, match="nobody ruled"):
        decide(own, Worker(own, 0, rules=False), item, now_ms(), 0.2)  # type: ignore[arg-type]
