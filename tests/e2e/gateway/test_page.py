"""The live page in Chromium, on a real engine: what a person does and sees."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.e2e.gateway.door import Door, opened
from tests.gateway.served import APP, OPERATOR

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_MS = 60_000

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def door(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(kafka, tmp_path_factory.mktemp("engine")) as one:
        one.post(
            *(
                {"topic": "clicks", "user_id": f"u{user}", "item_id": f"i{item}", "action": "like"}
                for user in range(12)
                for item in range(user % 3, 12)
            )
        )
        one.engine.settle("what others like")
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield one
        one.close()


@contextmanager
def opened_page(door: Door, browser: Browser, width: int, token: str) -> Iterator[Page]:
    one = browser.new_page(viewport={"width": width, "height": 800})
    one.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    one.on("pageerror", lambda error: faults.append(str(error)))
    one.goto(door.address)
    one.get_by_label("Token of this gateway").fill(token)
    one.get_by_role("button", name="Go on").click()
    yield one
    assert faults == []
    one.close()


@pytest.fixture(scope="module", params=["a wide window", "a phone"])
def page(door: Door, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    with opened_page(door, browser, 360 if request.param == "a phone" else 1400, OPERATOR) as one:
        yield one


@pytest.fixture
def newcomer(page: Page) -> Page:
    page.get_by_role("button", name="New user").click()
    return page


def waited(locator: Locator) -> Locator:
    expect(locator).to_be_visible(timeout=PATIENCE_MS)
    return locator


def do(page: Page, what: str, title: str) -> None:
    """A button of an item of the catalogue."""
    catalogue = page.get_by_role("region", name="Catalogue")
    catalogue.get_by_label("Titles with these words").fill(title)
    waited(catalogue.get_by_role("button", name=f"{what}: {title}", exact=True)).click()


def test_a_like_changes_the_list_and_a_reason_names_it(newcomer: Page) -> None:
    liked = "The red boat of harbour 3"
    do(newcomer, "liked", liked)
    state = newcomer.locator("#list-state")
    expect(state).to_have_text(
        re.compile(f"liked {liked}: this list came after \\d+ ms"), timeout=PATIENCE_MS
    )
    entries = newcomer.locator("#list > li")
    assert 0 < entries.count() <= 10
    assert liked not in entries.locator(".name").all_inner_texts()
    assert liked in " ".join(entries.locator(".why").all_inner_texts())
    shown = entries.locator(".name").first.inner_text()
    do(newcomer, "disliked", shown)
    expect(state).to_contain_text(f"disliked {shown}: this list came after", timeout=PATIENCE_MS)
    assert shown not in entries.locator(".name").all_inner_texts()


def test_a_review_that_is_being_written_outlives_a_list_that_comes(newcomer: Page) -> None:
    liked = "The red boat of harbour 4"
    do(newcomer, "clicked", liked)
    entries = newcomer.locator("#list > li")
    expect(newcomer.locator("#list-state")).to_contain_text("came after", timeout=PATIENCE_MS)
    names = entries.locator(".name").all_inner_texts()
    for name in names:
        entries.get_by_role("button", name=f"review in words: {name}", exact=True).click()
        entries.get_by_label(f"review of {name}", exact=True).fill(f"about {name}")
    do(newcomer, "viewed", liked)
    expect(newcomer.locator("#list-state")).to_contain_text(
        f"viewed {liked}: this list came after", timeout=PATIENCE_MS
    )
    kept = set(names) & set(entries.locator(".name").all_inner_texts())
    assert kept
    for name in kept:
        expect(entries.get_by_label(f"review of {name}", exact=True)).to_have_value(f"about {name}")


def test_titles_are_markup_for_nobody(newcomer: Page, door: Door) -> None:
    title = "<img src=x onerror=alert(1)> & a boat"
    door.post({"topic": "items", "item_id": "evil", "title": title, "categories": ["boats"]})
    newcomer.get_by_label("Titles with these words").fill("onerror")
    shown = newcomer.locator("#catalogue .name").first
    newcomer.wait_for_timeout(200)
    newcomer.get_by_label("Titles with these words").fill("onerror alert")
    expect(shown).to_have_text(title, timeout=PATIENCE_MS)
    assert newcomer.locator("#catalogue img").count() == 0


def test_a_wrong_record_is_shown_and_sent_again(page: Page, door: Door) -> None:
    door.produce("clicks", b"no json at all")
    letter = page.locator("#letters > li", has_text="clicks").first
    expect(letter).to_contain_text("JSON", timeout=PATIENCE_MS)
    button = letter.get_by_role("button", name=re.compile("send again"))
    if button.count():
        button.click()
    expect(page.locator("#letters")).to_contain_text("sent again", timeout=PATIENCE_MS)
    assert page.locator("#letters script").count() == 0


def govern(page: Page, title: str, kind: str, why: str) -> None:
    """Say a word on an item of the catalogue, as whoever stands in the dialog or `ann`."""
    do(page, "pin, ban or boost", title)
    dialog = page.get_by_role("dialog", name=f"A word on {title}")
    dialog.get_by_label("What").select_option(kind)
    if kind == "boost_item":
        dialog.get_by_label("Added to its score").fill("2.5")
    dialog.get_by_label("Who says so").fill("ann")
    dialog.get_by_label("Why").fill(why)
    dialog.get_by_role("button", name="Say it").click()


def shown_anew(page: Page, rows: str) -> None:
    """Wait until these rows are others than now."""
    page.locator(rows).first.evaluate("row => row.setAttribute('data-before', '')")
    expect(page.locator("[data-before]")).to_have_count(0, timeout=PATIENCE_MS)


def test_an_operators_word_stands_and_is_seen_in_the_next_list(newcomer: Page) -> None:
    title = "A blue train to station 7"
    do(newcomer, "clicked", "The red boat of harbour 5")
    expect(newcomer.locator("#list > li").first).to_be_visible(timeout=PATIENCE_MS)
    govern(newcomer, title, "pin_item", "the <b>season</b> begins")
    first = newcomer.locator("#list > li").first.locator(".name")
    expect(first).to_have_text(title, timeout=PATIENCE_MS)
    said = newcomer.locator("#words-list > li", has_text=title)
    expect(said).to_contain_text("pinned by ann", timeout=PATIENCE_MS)
    expect(said).to_contain_text("the <b>season</b> begins")
    assert newcomer.locator("#words-list b").count() == 0
    said.get_by_role("button", name=f"clear: {title}").focus()
    shown_anew(newcomer, "#words-list > li")
    assert newcomer.evaluate("document.activeElement.ariaLabel") == f"clear: {title}"
    newcomer.keyboard.press("Enter")
    dialog = newcomer.get_by_role("dialog", name=f"A word on {title}")
    expect(dialog.get_by_label("What")).to_have_value("clear_item")
    dialog.get_by_label("Who says so").fill("ann")
    dialog.get_by_label("Why").fill("it is over")
    dialog.get_by_role("button", name="Say it").click()
    expect(said).to_have_count(0, timeout=PATIENCE_MS)
    expect(newcomer.locator("#words-state")).to_contain_text("from the next list on")


def test_a_word_needs_its_reason_and_is_left_by_escape(newcomer: Page) -> None:
    title = "A blue train to station 8"
    govern(newcomer, title, "boost_item", "")
    dialog = newcomer.get_by_role("dialog", name=f"A word on {title}")
    expect(dialog).to_be_visible()
    assert newcomer.evaluate("document.activeElement.id") == "word-why"
    newcomer.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert title not in newcomer.locator("#words-list").inner_text()


def test_what_users_report_is_decided_on_the_page(newcomer: Page, door: Door) -> None:
    assert newcomer.viewport_size is not None
    item = "wide" if newcomer.viewport_size["width"] > 1000 else "phone"
    title = f"<b>A boat</b> & {item}"
    door.post({"topic": "items", "item_id": item, "title": title, "categories": ["boats"]})
    door.engine.settle("the item")
    door.post(
        *(
            {"topic": "clicks", "user_id": f"r{user}", "item_id": item, "action": "report"}
            for user in range(5)
        )
    )
    row = newcomer.locator("#review-list > li", has_text=title)
    expect(row).to_contain_text("5 users speak against it", timeout=PATIENCE_MS)
    expect(row).to_contain_text("since ")
    assert newcomer.locator("#review-list b").count() == 0
    row.get_by_role("button", name=f"decide on: {title}").focus()
    newcomer.keyboard.press("Enter")
    dialog = newcomer.get_by_role("dialog", name=f"Decide on {title}")
    expect(dialog).to_contain_text("5 users speak against it")
    assert newcomer.locator("#review-dialog b").count() == 0
    dialog.get_by_label("What").select_option("demote")
    expect(dialog.get_by_label("By how much")).to_be_visible()
    dialog.get_by_label("What").select_option("ban")
    expect(dialog.get_by_label("By how much")).to_be_hidden()
    dialog.get_by_label("Who decides").fill("ann")
    newcomer.keyboard.press("Enter")
    expect(dialog, "it needs its reason").to_be_visible()
    assert newcomer.evaluate(
        "(() => { const box = document.getElementById('review-dialog').getBoundingClientRect();"
        " return box.left >= 0 && box.right <= window.innerWidth; })()"
    )
    dialog.get_by_label("Why").fill("they <i>say</i> it sank")
    newcomer.keyboard.press("Enter")
    expect(newcomer.locator("#review-state")).to_have_text(
        f"{title} is banned, from the next list on", timeout=PATIENCE_MS
    )
    expect(row).to_have_count(0, timeout=PATIENCE_MS)
    kept = door.client.get(f"/v1/review/{item}").json()["decided"]
    assert (kept["decision"], kept["by"], kept["why"]) == ("ban", "ann", "they <i>say</i> it sank")


def test_the_model_goes_back_when_asked_and_confirmed(newcomer: Page, door: Door) -> None:
    for user in range(30):
        door.post({"topic": "clicks", "user_id": f"v{user}", "item_id": "i3", "action": "like"})
    back = newcomer.locator("#versions").get_by_role("button", name=re.compile("^go back to"))
    expect(back.first).to_be_visible(timeout=PATIENCE_MS)
    went = newcomer.locator("#rulings > li", has_text="went back, as asked, to")
    before = went.count()
    newcomer.once("dialog", lambda dialog: dialog.dismiss())
    back.first.click()
    assert went.count() == before
    state = newcomer.locator("#model-state")
    for _ in range(5):  # learn goes on: a version may be gone since the page showed it
        newcomer.once("dialog", lambda dialog: dialog.accept())
        back.first.click()
        expect(state).to_contain_text(re.compile("newest now|no checkpoint"), timeout=PATIENCE_MS)
        if "no checkpoint" not in state.inner_text():
            break
    expect(went).to_have_count(before + 1, timeout=PATIENCE_MS)


def test_an_apps_token_is_told_why_it_may_not(door: Door, browser: Browser) -> None:
    with opened_page(door, browser, 1400, APP) as page:
        for region in (
            "Items to look at",
            "What operators said of items",
            "Versions of the model",
            "Engine",
        ):
            expect(page.get_by_role("region", name=region)).to_contain_text(
                "This is for an operator's token", timeout=PATIENCE_MS
            )
        forget = page.get_by_role("button", name="Forget this user")
        expect(forget).to_be_disabled()
        assert "operator's token" in (forget.get_attribute("title") or "")
        expect(page.locator("#catalogue li").first).to_be_visible(timeout=PATIENCE_MS)
        assert page.get_by_role("button", name=re.compile("^pin, ban or boost")).count() == 0


def test_a_user_is_forgotten(newcomer: Page) -> None:
    do(newcomer, "clicked", "The red boat of harbour 5")
    expect(newcomer.locator("#list > li").first).to_be_visible(timeout=PATIENCE_MS)
    newcomer.once("dialog", lambda dialog: dialog.dismiss())
    newcomer.get_by_role("button", name="Forget this user").click()
    assert newcomer.locator("#list > li").count() > 0
    newcomer.once("dialog", lambda dialog: dialog.accept())
    newcomer.get_by_role("button", name="Forget this user").click()
    state = newcomer.locator("#list-state")
    expect(state).to_contain_text("forgotten: ", timeout=PATIENCE_MS)
    expect(state).to_contain_text("state 1")
    expect(state).to_contain_text("What remains: ")
    assert newcomer.locator("#list > li").count() == 0


def test_all_of_it_is_reached_by_keyboard_and_fits_the_window(newcomer: Page) -> None:
    unnamed = newcomer.locator("button, input, select").evaluate_all(
        "all => all.filter(one => !(one.innerText || one.ariaLabel || one.labels?.length)).length"
    )
    assert unnamed == 0
    wider = newcomer.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not wider
    newcomer.get_by_label("User", exact=True).focus()
    newcomer.keyboard.press("Tab")
    assert newcomer.evaluate("document.activeElement.innerText") == "Show"
