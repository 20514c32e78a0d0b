"""Whether a record is among offsets, found by reading a real topic, each offset once."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from stream.broker.gaps import Gaps
from stream.broker.topics import ensure_topics
from tests.stream.broker.test_lag import ABORTED, COMMITTED, transactions
from upwell.events import Topic


def test_a_record_is_found_behind_what_was_aborted_and_nothing_is_read_twice(
    kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: dict[str, Any] = {"bootstrap_servers": [kafka]}
    ensure_topics(prefix, 1, client)
    clicks = TopicPartition(prefix + Topic.CLICKS, 0)
    transactions(kafka, clicks.topic, [COMMITTED, ABORTED, COMMITTED, ABORTED])
    sought: list[int] = []
    seek = KafkaConsumer.seek

    def noted(reader: KafkaConsumer, partition: TopicPartition, offset: int) -> None:
        sought.append(offset)
        seek(reader, partition, offset)

    monkeypatch.setattr(KafkaConsumer, "seek", noted)
    with closing(Gaps(client)) as gaps:
        found = [
            bool(gaps.with_record({clicks: (start, 44)}))
            for start in (9, 10, 10, 12, 22, 31, 32, 40)
        ]
        assert found == [True, True, True, True, True, True, False, False]
        assert sought == [9, 10, 31, 32]
        assert not gaps.with_record({clicks: (10, 22)})
        assert gaps.with_record({clicks: (10, 23)})
