"""What is asked again of a broker that is away, how long, and what is said."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from kafka.errors import (
    CommitFailedError,
    KafkaConnectionError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
)

from stream.broker.away import Patience
from upwell.errors import BrokerError


class Clock:
    """Seconds that pass by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def away(self, seconds: float, fault: Exception) -> Callable[[], str]:
        def ask() -> str:
            if self.now < seconds:
                raise fault
            return "answered"

        return ask


def answered_by(exc: Exception) -> BrokerError:
    """As `no_broker` is raised."""
    fault = BrokerError("no Kafka broker answers")
    fault.__cause__ = exc
    return fault


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    "fault", [KafkaConnectionError("refused"), answered_by(KafkaTimeoutError("bootstrap"))]
)
def test_one_that_is_away_for_half_a_minute_is_waited_for(
    fault: Exception, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "upwell.broker")
    patience = Patience("learn", clock=clock, sleep=clock.sleep)
    assert patience.call(clock.away(30, fault)) == "answered"
    assert [record.getMessage() for record in caplog.records] == [
        f"learn: the broker does not answer ({type(fault).__name__}): waiting for it",
        "learn: the broker answers again after 30.0 s",
    ]


def test_one_that_is_away_for_longer_raises_what_it_raised(clock: Clock) -> None:
    fault = KafkaConnectionError("refused")
    with pytest.raises(KafkaConnectionError):
        Patience("learn", 20, clock, clock.sleep).call(clock.away(1e9, fault))
    assert 20 < clock.now <= 21


@pytest.mark.parametrize(
    "fault",
    [
        CommitFailedError(),
        TopicAuthorizationFailedError(),
        BrokerError("learn: the lock is lost"),
        answered_by(TopicAuthorizationFailedError()),
    ],
)
def test_what_does_not_pass_by_itself_is_raised_at_once(fault: Exception, clock: Clock) -> None:
    with pytest.raises(type(fault)):
        Patience("learn", clock=clock, sleep=clock.sleep).call(clock.away(1e9, fault))
    assert clock.now == 0.0
