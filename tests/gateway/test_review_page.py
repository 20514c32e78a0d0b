"""The page's queue in Chromium, on parts in memory: what is shown, decided and approved, by
keyboard and in the window of a phone. tests/e2e/gateway/test_page.py has a real engine behind it.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from gateway.topics.send import Parcel
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override
from stream.ops.review.queue import override_id_of
from tests.gateway.served import APP, OPERATOR, InMemory, served
from tests.gateway.test_review import ROW, decided
from upwell.events import Topic

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
EVIL = "<img src=x onerror=alert(1)> & tea"
PATIENCE_MS = 60_000

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]


@contextmanager
def opened(width: int, token: str) -> Iterator[tuple[Page, InMemory]]:
    """Of a gateway with two items in its queue, which rules on a decision at once."""
    made: list[InMemory] = []

    def rule(parcel: Parcel, place: str) -> None:
        told = orjson.loads(parcel.value)
        if parcel.topic is Topic.CONTROLS and told["kind"] == "override":
            made[0].kept[told["override_id"]] = Kept(seq=0, standing=Override.of({**told, "at": 1}))

    def make(loop: asyncio.AbstractEventLoop) -> Any:
        rows = [replace(ROW, title=EVIL), replace(ROW, item_id="i2", title="Two")]
        made.append(InMemory(rows=rows))
        made[0].kept[override_id_of("i2")] = Kept(
            seq=0, waiting=decided("i2", by="<b>bob</b>"), needs=1
        )
        made[0].out.loop, made[0].out.on_parcel = loop, rule
        return made[0].app

    with served(make) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 700})
        page.set_default_timeout(PATIENCE_MS)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address)
        page.get_by_label("Token of this gateway").fill(token)
        page.get_by_role("button", name="Go on").click()
        yield page, made[0]
        assert faults == []
        browser.close()


@pytest.mark.parametrize("width", [1400, 360])
def test_an_item_is_decided_and_what_waits_is_approved(width: int) -> None:
    with opened(width, OPERATOR) as (page, gateway):
        rows = page.locator("#review-list > li")
        expect(rows).to_have_count(2, timeout=PATIENCE_MS)
        expect(page.locator("#review-state")).to_contain_text("2 items wait for a person")
        expect(rows.first).to_contain_text(EVIL)
        expect(rows.first).to_contain_text("4 users speak against it")
        expect(rows.nth(1)).to_contain_text("said <b>bob</b>: seen. It waits for 1 other")
        assert page.locator("#review-list img, #review-list b").count() == 0
        wider = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wider

        page.get_by_role("button", name=f"decide on: {EVIL}").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name=f"Decide on {EVIL}")
        dialog.get_by_label("What").select_option("demote")
        dialog.get_by_label("By how much").fill("2.5")
        dialog.get_by_label("Who decides").fill("ann")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "review-because", "it needs a reason"
        box = page.locator("#review-dialog").bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
        dialog.get_by_label("Why").fill("they <i>say</i> so")
        page.keyboard.press("Enter")
        expect(page.locator("#review-state")).to_have_text(
            f"{EVIL} is demoted, from the next list on", timeout=PATIENCE_MS
        )
        expect(rows).to_have_count(1)
        sent = orjson.loads(gateway.out.parcels[-1].value)
        assert (sent["item_id"], sent["decision"], sent["boost"]) == ("i1", "demote", 2.5)
        assert (sent["by"], sent["why"]) == ("ann", "they <i>say</i> so")

        page.get_by_role("button", name="approve of: Two").click()
        dialog = page.get_by_role("dialog", name="Decide on Two")
        expect(dialog.get_by_label("What")).to_be_hidden()
        dialog.get_by_label("Who decides").fill("eve")
        dialog.get_by_label("Why").fill("right")
        dialog.get_by_role("button", name="Decide").click()
        expect(dialog).to_be_hidden()
        sent = orjson.loads(gateway.out.parcels[-1].value)
        assert (sent["kind"], sent["override_id"], sent["of_event"], sent["by"]) == (
            "approve", "review:i2", "e", "eve",
        )  # fmt: skip


def test_who_decided_meanwhile_is_told_and_an_app_sees_nothing() -> None:
    with opened(1400, OPERATOR) as (page, gateway):
        page.get_by_role("button", name=f"decide on: {EVIL}").click()
        gateway.kept[override_id_of("i1")] = Kept(seq=0, standing=decided(by="carl"))
        dialog = page.get_by_role("dialog", name=f"Decide on {EVIL}")
        dialog.get_by_label("Who decides").fill("ann")
        dialog.get_by_label("Why").fill("right")
        dialog.get_by_role("button", name="Decide").click()
        expect(page.locator("#review-error")).to_contain_text("carl decided meanwhile")
        assert gateway.out.parcels == []
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    with opened(1400, APP) as (page, gateway):
        expect(page.locator("#review-state")).to_contain_text("operator's token")
        assert gateway.looks == []
