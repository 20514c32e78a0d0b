"""The README is short, and what it quotes stands in the page that has the whole."""

from __future__ import annotations

import re

from tests.docs.blocks import ALL
from tests.docs.commands import ROOT

WORDS = 440
"""Two minutes at 220 a minute."""
MOST_LINES = 100
README = (ROOT / "README.md").read_text()


def test_it_is_read_in_two_minutes() -> None:
    prose = re.sub(r"^```.*?^```$|<[^>]*>|\]\([^)]*\)", " ", README, flags=re.MULTILINE | re.DOTALL)
    assert len(re.findall(r"\w[\w'.,@-]*", prose)) <= WORDS
    assert len(README.splitlines()) <= MOST_LINES


def test_it_shows_the_page() -> None:
    pictures = set(re.findall(r'(?:src|srcset)="([^"]+)"', README))
    assert pictures == {"docs/page.png", "docs/page-dark.png"}
    assert 'alt="' in README


def test_its_client_is_ten_lines_of_python() -> None:
    [block] = [one for one in ALL if (one.page, one.language) == ("README.md", "python")]
    assert len([line for line in block.body.splitlines() if line]) <= 10


def test_what_it_quotes_of_the_demo_stands_in_the_demo() -> None:
    whole = (ROOT / "docs" / "demo.md").read_text().splitlines()
    quoted = [
        line
        for one in ALL
        if (one.page, one.language) == ("README.md", "text")
        for line in one.body.splitlines()
    ]
    assert len(quoted) > 4
    assert [line for line in quoted if line not in whole] == []
