"""Who changes what serves stands on `controls` first, and the desk makes a whole entry of it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from kafka import KafkaConsumer

from stream.broker.connect import client_options
from stream.chain.audit.verify import Verifier
from stream.ops.on_record import asked_for, unasked
from tests.stream.chain.audit.desk import Board
from tests.stream.ops.access.held import settings_of
from upwell.errors import InvalidEventError
from upwell.events import ControlKind, Topic


def test_kafka_has_it_before_the_call_returns(kafka: str, prefix: str, tmp_path: Path) -> None:
    own = settings_of(kafka, prefix, tmp_path / "data")
    asked_for(ControlKind.ROLLBACK_MODEL, "120-ab", "ann ü", "lists got worse")(own)
    unasked(own)
    consumer = KafkaConsumer(
        prefix + Topic.CONTROLS,
        auto_offset_reset="earliest",
        group_id=None,
        consumer_timeout_ms=5_000,
        **client_options(own.kafka),
    )
    [record] = list(consumer)
    consumer.close()
    told = orjson.loads(record.value)
    assert (told["kind"], told["version"]) == ("rollback_model", "120-ab")
    assert (told["by"], told["why"], record.key) == ("ann ü", "lists got worse", b"120-ab")
    with pytest.raises(InvalidEventError):
        asked_for(ControlKind.ROLLBACK_MODEL, "", "ann", "why")(own)


@pytest.mark.parametrize(
    "kind",
    [
        ControlKind.ROLLBACK_MODEL,
        ControlKind.PROMOTE_ENCODER,
        ControlKind.ROLLBACK_ENCODER,
    ],
)
def test_the_desk_enters_it_once_though_it_comes_again(kind: ControlKind) -> None:
    board = Board(approvals=1)
    said = {"kind": str(kind), "by": "ann", "why": "lists got worse", "version": "120-ab"}
    record = board.record(said)
    board.publish(board.run(record))
    board.publish(board.run(record, desk=board.new_desk()))
    [(partition, value)] = board.audit
    assert partition == record.partition
    told = orjson.loads(value)
    assert (told["kind"], told["outcome"], told["who"]) == (str(kind), "done", "ann")
    assert told["what"] == {"version": "120-ab"}
    verifier = Verifier()
    verifier.take(partition, 0, value)
    assert verifier.faults(None) == []
