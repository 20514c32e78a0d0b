"""What `python -m tests.soak.page` sees of a page: what it holds on to is found, what it lets go is
not. The hour itself is `make soak`.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from random import Random

import pytest
from playwright.sync_api import Page, sync_playwright

from stream.chain.validate import decode
from tests.soak.page import BOUNDS, USERS, WATCHED, Meter, stream_of
from upwell.events import Click
from upwell.recommendations import DeadLetter
from upwell.system.clock import now_ms

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def page() -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_what_a_page_holds_on_to_is_seen_and_what_it_lets_go_is_not(page: Page) -> None:
    meter = Meter(page)
    before = meter.figures()
    page.evaluate("() => { for (let n = 0; n < 1e6; n++) ({ n, text: `${n}` }); }")
    let_go = meter.figures()
    assert let_go["heap_mb"] - before["heap_mb"] < BOUNDS["heap_mb"]
    page.evaluate(
        """() => {
          window.kept = Array.from({ length: 1e5 }, (_, n) => ({ n, text: `${n}` }));
          for (let n = 0; n < 500; n++) {
            const made = document.createElement("p");
            made.onclick = () => {};
            window.kept.push(made);
          }
        }"""
    )
    kept = meter.figures()
    assert kept["heap_mb"] - let_go["heap_mb"] > BOUNDS["heap_mb"]
    assert kept["nodes"] - let_go["nodes"] >= 500
    assert kept["listeners"] - let_go["listeners"] >= 500


def test_the_stream_is_events_but_for_a_few() -> None:
    records = list(islice(stream_of(["i1", "i2"], Random(1)), 2_000))
    decoded = [decode(one.topic, 0, 0, one.value, now_ms()) for one in records]
    assert sum(isinstance(one, DeadLetter) for one in decoded) == 2
    users = Counter(one.user_id for one in decoded if isinstance(one, Click))
    assert users[WATCHED] >= 38
    assert len(users) == USERS + 1
