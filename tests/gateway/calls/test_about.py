"""What is told of the gateway itself, and of who asks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.gateway.served import APP, OPERATOR, InMemory, ask
from upwell.secret import Secret


def test_alive_is_not_ready() -> None:
    gateway = InMemory(warming="still reading", shortcoming="still reading")
    assert ask(gateway, "GET", "/healthz", None).status_code == 200
    answer = ask(gateway, "GET", "/readyz", None)
    assert (answer.status_code, answer.json()["detail"]) == (503, "still reading")


def test_lists_that_are_held_are_shown_while_the_broker_is_away() -> None:
    gateway = InMemory(shortcoming="the broker has not answered for 12 s")
    gateway.newest.put("ann", 1, b"{}")
    assert ask(gateway, "GET", "/readyz", None).status_code == 503
    assert ask(gateway, "GET", "/v1/users/ann/list", APP).status_code == 200


@pytest.mark.parametrize(
    ("token", "found"),
    [
        (APP, {"role": "app", "name": None}),
        (OPERATOR, {"role": "operator", "name": "ann"}),
    ],
)
def test_a_caller_is_told_who_they_are(token: str, found: dict[str, str | None]) -> None:
    named = replace(InMemory().settings, operator_token=Secret(f"ann:{OPERATOR}"))
    assert ask(InMemory(named), "GET", "/v1/caller", token).json() == found
