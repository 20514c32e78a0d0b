"""A writer begins with what stands on its partition."""

from __future__ import annotations

import pytest
from kafka import KafkaProducer

from stream.broker.audit.stood import read_stood
from stream.broker.topics import ensure_topics
from stream.chain.audit.journal import TAIL, Stood
from tests.stream.broker.audit.topics import publish
from tests.stream.chain.audit.desk import PARTITIONS, Board, home
from upwell.errors import BrokerError
from upwell.events import Topic


def test_it_is_what_was_published_there_and_of_entries_the_newest(kafka: str, prefix: str) -> None:
    board, client = Board(approvals=1), {"bootstrap_servers": kafka}
    for number in range(TAIL + 2):
        board.say("override", item_id=f"i{number}")
    board.say("override", "q")
    publish(board, client, prefix)
    found, wanted = read_stood(client, prefix, home("o")), board.stood(home("o"))
    assert found.kept == wanted.kept
    assert found.entries == wanted.entries[-TAIL:]
    empty = next(one for one in range(PARTITIONS) if one not in (home("o"), home("q")))
    assert read_stood(client, prefix, empty) == Stood()


def test_a_record_that_is_none_is_said_with_its_place(kafka: str, prefix: str) -> None:
    client = {"bootstrap_servers": kafka}
    ensure_topics(prefix, PARTITIONS, client)
    with KafkaProducer(acks="all", **client) as producer:
        producer.send(prefix + Topic.AUDIT, value=b"x", partition=1)
    with pytest.raises(BrokerError, match=r"partition 1, offset 0.*upwell audit verify"):
        read_stood(client, prefix, 1)
