"""What stands in a query or a body, and what is said where it is wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from gateway.edge import reading
from gateway.edge.refusals import Refused
from tests.gateway.served import APP, InMemory, ask
from upwell.errors import InvalidEventError


def asked(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": []})


@pytest.mark.parametrize(("query", "found"), [("", 10), ("k=1", 1), ("k=100", 100), ("k=007", 7)])
def test_numbers(query: str, found: int) -> None:
    assert reading.number(asked(query), "k", 10, 1, 100) == found


@pytest.mark.parametrize("given", ["0", "101", "1.5", "x", "-1", "9" * 5_000, "٣", "1e1"])
def test_what_is_no_number_in_range_is_refused(given: str) -> None:
    with pytest.raises(InvalidEventError, match=r"k must be .*1.*100"):
        reading.number(asked(f"k={given}"), "k", 10, 1, 100)
    assert ask(InMemory(), "GET", f"/v1/popular?k={given}", APP).status_code == 422


@pytest.mark.parametrize("given", ["nan", "inf", "-1", "61", "x", "1e9"])
def test_what_is_no_time_to_wait_is_refused(given: str) -> None:
    with pytest.raises(InvalidEventError, match="timeout must be a number of seconds, 0 to 60"):
        reading.seconds(asked(f"timeout={given}"), "timeout", 10.0)


def test_times_to_wait() -> None:
    assert reading.seconds(asked("timeout=2.5"), "timeout", 10.0) == 2.5
    assert reading.seconds(asked("timeout="), "timeout", 10.0) == 10.0


@pytest.mark.parametrize(
    ("given", "found"), [("true", True), ("1", True), ("False", False), ("", False)]
)
def test_flags(given: str, found: bool) -> None:
    assert reading.flag(asked(f"request={given}"), "request") is found


def test_what_is_no_flag_is_refused() -> None:
    with pytest.raises(InvalidEventError, match="request must be true or false"):
        reading.flag(asked("request=maybe"), "request")


def test_a_body_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BODY_SECONDS", 0.01)

    async def never() -> Any:
        await asyncio.Event().wait()

    scope = {"type": "http", "method": "POST", "headers": []}
    with pytest.raises(Refused, match="408 slow_body"):
        asyncio.run(reading.read_body(Request(scope, never)))


def test_a_body_whose_sender_went_is_no_fault_of_ours() -> None:
    async def gone() -> Any:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "headers": []}
    with pytest.raises(Refused, match="400 truncated"):
        asyncio.run(reading.read_body(Request(scope, gone)))


@pytest.mark.parametrize(
    ("header", "found"),
    [("application/x-ndjson", "application/x-ndjson"), ("Text/Plain ; charset=x", "text/plain")],
)
def test_media_types(header: str, found: str) -> None:
    scope = {"type": "http", "headers": [(b"content-type", header.encode())]}
    assert reading.media_type(Request(scope)) == found
