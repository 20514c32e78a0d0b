"""What holds for every call: the token, the rate, the size of a body, the headers of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from tests.gateway.served import APP, OPERATOR, InMemory, ask


@pytest.mark.parametrize("token", [None, "no-such-token-at-all-here"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/users/ann/list"), ("POST", "/v1/events"), ("GET", "/nope")]
)
def test_without_a_token_nothing_is_told(method: str, path: str, token: str | None) -> None:
    gateway = InMemory()
    gateway.newest.put("ann", 1, b"{}")
    answer = ask(gateway, method, path, token)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["reason"] == "unauthorized"
    assert gateway.out.parcels == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json"])
def test_who_looks_after_the_process_needs_no_token(path: str) -> None:
    assert ask(InMemory(), "GET", path, None).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/v1/users/ann/list", "/nope"])
@pytest.mark.parametrize("token", [None, OPERATOR])
def test_every_answer_has_the_security_headers(path: str, token: str | None) -> None:
    headers = ask(InMemory(), "GET", path, token).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    base = InMemory().settings
    gateway = InMemory(replace(base, rate=1.0))
    answers = [ask(gateway, "GET", "/v1/popular", APP) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 429, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["reason"] == "too_many_requests"
    assert ask(gateway, "GET", "/v1/popular", OPERATOR).status_code == 200
    assert ask(gateway, "GET", "/healthz", APP).status_code == 200


def test_wrong_tokens_are_limited_too() -> None:
    gateway = InMemory(replace(InMemory().settings, rate=1.0))
    statuses = [
        ask(gateway, "GET", "/v1/popular", f"guess-number-{one}-of-16").status_code
        for one in range(4)
    ]
    assert statuses == [401, 401, 429, 429]


@pytest.mark.parametrize("said", [True, False])
def test_a_body_that_is_too_large_is_not_read(said: bool) -> None:
    gateway = InMemory(replace(InMemory().settings, body_bytes=1_024))
    taken = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 100
            yield b" " * 100

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(gateway.app)
        headers = {"Authorization": f"Bearer {APP}"} | ({"Content-Length": "10000"} if said else {})
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.post("/v1/events", content=parts(), headers=headers)

    answer = asyncio.run(run())
    assert answer.status_code == 413
    assert answer.json()["reason"] == "too_large"
    assert taken <= (0 if said else 1_200)


def test_a_body_of_just_the_limit_is_read() -> None:
    gateway = InMemory(replace(InMemory().settings, body_bytes=1_024))
    body = b'{"topic":"queries","user_id":"ann","text":"x"}'.ljust(1_024)
    assert ask(gateway, "POST", "/v1/events", content=body).status_code == 202
    assert ask(gateway, "POST", "/v1/events", content=body + b" ").status_code == 413
