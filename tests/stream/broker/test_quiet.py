"""A client that cannot reach its broker is heard, not again and again."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from stream.broker.quiet import SECONDS, Repeated, quieten


def record(name: str, message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "", 0, message, arguments, None)


def test_a_message_passes_once_a_minute_whatever_its_arguments() -> None:
    now = 100.0
    repeated = Repeated(lambda: now)
    assert repeated.filter(record("kafka.conn", "no node %s", 1))
    assert not repeated.filter(record("kafka.conn", "no node %s", 2))
    assert repeated.filter(record("kafka.conn", "another"))
    assert repeated.filter(record("kafka.cluster", "no node %s", 1))
    now += SECONDS
    assert repeated.filter(record("kafka.conn", "no node %s", 3))


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    one = logging.getLogger("aiokafka.of_a_test")
    yield one
    for each in list(logging.root.manager.loggerDict):
        found = logging.getLogger(each)
        found.filters = [one for one in found.filters if not isinstance(one, Repeated)]


def test_the_clients_loggers_are_quiet_and_no_others(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    own = logging.getLogger("upwell.of_a_test")
    quieten()
    for _ in range(3):
        logger.error("away")
        own.error("own")
    assert [one.name for one in caplog.records].count(logger.name) == 1
    assert [one.name for one in caplog.records].count(own.name) == 3
