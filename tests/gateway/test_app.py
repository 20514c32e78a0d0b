"""What stands before it is warm, and what is no call."""

from __future__ import annotations

import pytest

from tests.gateway.served import APP, InMemory, ask

CALLS = [
    ("GET", "/v1/users/ann/list"),
    ("POST", "/v1/users/ann/lists"),
    ("POST", "/v1/events"),
    ("GET", "/v1/popular"),
    ("GET", "/v1/users/ann/events"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_nothing_is_answered_before_what_there_is_was_read(method: str, path: str) -> None:
    gateway = InMemory(warming="still reading", shortcoming="still reading")
    answer = ask(gateway, method, path, APP)
    assert (answer.status_code, answer.json()["reason"]) == (503, "not_ready")
    assert answer.headers["retry-after"]
    assert gateway.out.parcels == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nope", 404), ("GET", "/page", 404), ("PATCH", "/v1/events", 405)],
)
def test_what_there_is_not_is_told_in_json(method: str, path: str, status: int) -> None:
    answer = ask(InMemory(), method, path, APP)
    assert answer.status_code == status
    assert "/openapi.json" in answer.json()["detail"]
