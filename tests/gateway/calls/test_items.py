"""Calls that ask no user: items by likeness, popularity and age."""

from __future__ import annotations

import pytest

from tests.gateway.served import APP, InMemory, ask


@pytest.mark.parametrize("path", ["/v1/items/i1/similar", "/v1/popular", "/v1/newest"])
@pytest.mark.parametrize(("query", "count"), [("", 10), ("?k=3", 3)])
def test_so_many_are_answered(path: str, query: str, count: int) -> None:
    answer = ask(InMemory(), "GET", path + query, APP)
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == count
    assert answer.json()["model_version"] == "7-abc"


@pytest.mark.parametrize("path", ["/v1/popular", "/v1/newest"])
def test_a_category_is_handed_on(path: str) -> None:
    answer = ask(InMemory(), "GET", f"{path}?category=s%26f&k=1", APP)
    assert answer.json()["items"][0]["title"] == "s&f"


def test_an_item_that_nobody_announced_is_none() -> None:
    answer = ask(InMemory(), "GET", "/v1/items/i2/similar", APP)
    assert (answer.status_code, answer.json()["reason"]) == (404, "unknown_item")
