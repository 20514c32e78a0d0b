"""Which faults are waited for, how long, and what is said in the end."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator

import grpc  # type: ignore[import-untyped]
import pytest
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException

from store.retry import Retry
from upwell.errors import StoreError


class RpcError(grpc.RpcError, grpc.Call):  # type: ignore[misc]
    """As a channel raises it."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        self._code, self._details = code, details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details

    initial_metadata = trailing_metadata = is_active = time_remaining = cancel = add_callback = None


def failing(*faults: Exception) -> Callable[[], str]:
    left: Iterator[Exception] = iter(faults)

    def action() -> str:
        for fault in left:
            raise fault
        return "done"

    return action


UNAVAILABLE = RpcError(grpc.StatusCode.UNAVAILABLE, "connection\nrefused")


@pytest.mark.parametrize(
    "fault",
    [
        UNAVAILABLE,
        RpcError(grpc.StatusCode.DEADLINE_EXCEEDED, "slow"),
        RpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy"),
        RpcError(grpc.StatusCode.CANCELLED, "the server shuts down"),
        ResponseHandlingException(OSError("reset")),
        ResourceExhaustedResponse("busy", 1),
    ],
)
def test_a_passing_fault_is_waited_for(fault: Exception) -> None:
    pauses: list[float] = []
    assert Retry(sleep=pauses.append).call("write", "here", failing(fault, fault)) == "done"
    assert len(pauses) == 2


def test_pauses_double_up_to_the_longest() -> None:
    pauses: list[float] = []
    retry = Retry(first_pause_seconds=1, longest_pause_seconds=3, sleep=pauses.append)
    assert retry.call("write", "here", failing(*[UNAVAILABLE] * 4)) == "done"
    assert pauses == [1, 2, 3, 3]


def test_the_server_may_ask_for_a_longer_pause() -> None:
    pauses: list[float] = []
    Retry(sleep=pauses.append).call("write", "here", failing(ResourceExhaustedResponse("busy", 2)))
    Retry(sleep=pauses.append).call(
        "write", "here", failing(ResourceExhaustedResponse("busy", 3600))
    )
    assert pauses == [2, 5]


def test_in_the_end_one_line_says_what_and_where() -> None:
    pauses: list[float] = []
    with pytest.raises(StoreError) as caught:
        Retry(2.5, sleep=pauses.append, clock=itertools.count().__next__).call(
            "write of users", "db:6334", failing(*[UNAVAILABLE] * 3)
        )
    assert str(caught.value).startswith(
        "write of users at db:6334 failed (UNAVAILABLE: connection refused): check that"
    )
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (RpcError(grpc.StatusCode.UNAUTHENTICATED, "no"), "check the api key"),
        (RpcError(grpc.StatusCode.INVALID_ARGUMENT, "no"), "INVALID_ARGUMENT: no"),
        (ValueError("no such collection"), "no such collection"),
    ],
)
def test_a_lasting_fault_is_not_repeated(fault: Exception, said: str) -> None:
    pauses: list[float] = []
    with pytest.raises(StoreError, match=said):
        Retry(sleep=pauses.append).call("write", "here", failing(fault))
    assert pauses == []


def test_a_mistake_of_the_program_is_not_a_fault_of_the_store() -> None:
    with pytest.raises(KeyError):
        Retry().call("write", "here", failing(KeyError("bug")))


def test_one_that_is_away_for_less_than_its_patience_is_said_once_and_once_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "upwell.store")
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    def away() -> str:
        if now < 30:
            raise UNAVAILABLE
        return "done"

    assert Retry(sleep=sleep, clock=lambda: now).call("write", "db:6334", away) == "done"
    assert now < 31.5, "it is tried again soon after it is back"
    assert [record.getMessage() for record in caplog.records] == [
        "write: db:6334 does not answer (UNAVAILABLE: connection refused): waiting for it",
        f"write: db:6334 answers again after {now:.1f} s",
    ]
