"""Where partitions begin and end, also while one has no leader."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import LeaderNotAvailableError, RetriableError

from upwell.system.offsets import Offsets, beginnings_of, ends_of

LED, LEADERLESS = TopicPartition("t", 0), TopicPartition("t", 1)


def leaderless(consumer: KafkaConsumer) -> None:
    """It is told nothing of the partition that has no leader, as kafka-python is."""
    fetcher: Any = consumer._fetcher

    def run(_: object, timestamps: dict[TopicPartition, int], __: object) -> dict[Any, Any]:
        return {one: type("Found", (), {"offset": 7})() for one in timestamps if one == LED}

    fetcher._net = type("Net", (), {"run": staticmethod(run)})()


@pytest.mark.parametrize("asked", [beginnings_of, ends_of])
def test_a_partition_without_a_leader_is_an_error_that_passes(
    kafka: str, asked: Callable[[KafkaConsumer, Collection[TopicPartition]], Offsets]
) -> None:
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    whole = consumer._fetcher._net
    try:
        leaderless(consumer)
        assert asked(consumer, [LED]) == {LED: 7}
        with pytest.raises(LeaderNotAvailableError, match="no leader") as refused:
            asked(consumer, [LED, LEADERLESS])
        assert isinstance(refused.value, RetriableError)
    finally:
        consumer._fetcher._net = whole
        consumer.close()
