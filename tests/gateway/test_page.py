"""The page's files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.page import PAGE_PATHS
from tests.gateway.served import InMemory, ask

STATIC = Path(__file__).parents[2] / "gateway" / "static"


@pytest.mark.parametrize("path", sorted(PAGE_PATHS))
def test_it_is_read_without_a_token_and_may_load_nothing_of_others(path: str) -> None:
    answer = ask(InMemory(), "GET", path, None)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_it_needs_nothing_from_elsewhere_and_writes_no_markup_of_others() -> None:
    for file in STATIC.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.findall(r"(?:src|href|from|url)\s*[=(]?\s*[\"']https?:", text)
        assert "innerHTML" not in text
        assert "insertAdjacentHTML" not in text
