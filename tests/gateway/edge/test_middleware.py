"""What holds for every call: the token, the rate, the size of a body, the headers of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from tests.gateway.served import APP, OPERATOR, InMemory, ask
from upwell.settings import GatewaySettings


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


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1:8080", None, 202),
        ("localhost", None, 202),
        ("[::1]:8080", None, 202),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", 202),  # the gateway's own page
        ("127.0.0.1:8080", "https://shop.example", 202),  # named in the settings
        ("127.0.0.1:8080", "https://evil.example", 403),
        ("127.0.0.1:8080", "http://127.0.0.1:9999", 403),
        ("127.0.0.1:8080", "null", 403),
        ("evil.example", None, 403),  # a name that was made to stand for this machine
        ("127.0.0.1.evil.example", None, 403),
        ("evil.example:8080", "http://evil.example:8080", 403),
        ("127.0.0.1@evil.example", None, 403),
        ("", None, 403),
    ],
)
def test_without_tokens_a_page_somebody_opened_cannot_call(
    host: str, origin: str | None, status: int
) -> None:
    gateway = InMemory(GatewaySettings(origins="https://shop.example"))
    headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
    event = {"topic": "queries", "user_id": "ann", "text": "x"}
    answer = ask(gateway, "POST", "/v1/events", None, json=event, headers=headers)
    assert answer.status_code == status
    assert len(gateway.out.parcels) == (status == 202)


def test_with_a_token_any_name_will_do() -> None:
    headers = {"Host": "upwell.example", "Origin": "https://any.example"}
    answer = ask(InMemory(), "GET", "/v1/popular", APP, headers=headers)
    assert answer.status_code == 200
