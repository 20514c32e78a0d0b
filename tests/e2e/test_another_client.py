"""What events mean, on a real engine, said by an app that has nothing of Upwell's."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.app import App, ids, now_ms
from tests.e2e.engine import Engine
from upwell.events import Topic

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FILLERS = 40
TITLES = {
    "thai": ["สวัสดีชาวโลก", "ข้าวผัดกุ้ง", "ต้มยำกุ้ง", "รถไฟฟ้า", "น้ำตาลทราย", "หนังสือเรียน"],
    "amharic": ["ሰላም ለዓለም", "ቡና ቤት", "እንጀራ በወጥ", "የልጆች መጽሐፍ", "አዲስ አበባ", "ነጭ ሽንኩርት"],
    "emoji": ["🍕🍔🌮", "🍕", "🍣🍤", "🚲🚗", "🎸🥁", "🐶🐱"],
    "chinese": ["你好世界", "红楼梦"],
    "arabic": ["مرحبا بالعالم", "كتاب الطبخ"],
    "japanese": ["さくら", "ラーメン"],
    "wide": ["ＡＣＭＥ Full Width"],
    "numbers": ["036000291452 Cola", "LEGO 75192 42115", "0306406152", "4251234567894"],
}
ITEM_OF = {
    title: f"{script}-{place}"
    for script, titles in TITLES.items()
    for place, title in enumerate(titles)
}


@pytest.fixture(scope="module")
def surroundings(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address and the prefix of an engine with a catalogue."""
    prefix = f"test-{uuid.uuid4().hex[:12]}."
    with Engine(kafka, prefix, tmp_path_factory.mktemp("engine")) as engine:
        app = App(kafka, prefix)
        for number in range(FILLERS):
            app.item(
                f"f{number}",
                title=f"Filler {number} of kind {number % 7}",
                categories=["filler"],
                ts=now_ms() + 9 * HOUR_MS,  # an app's clock
            )
        for title, item_id in ITEM_OF.items():
            app.item(item_id, title=title, categories=["titles"])
        announced = FILLERS + len(ITEM_OF)
        app.wait(lambda: len(ids(app.ask("first", k=100))) == announced, "the catalogue")
        app.close()
        pids = engine.supervisor.pids
        yield kafka, prefix
        engine.supervisor.check()
        assert engine.supervisor.pids == pids


@pytest.fixture
def app(surroundings: tuple[str, str]) -> Iterator[App]:
    """Nothing that it says may become a dead letter."""
    one = App(*surroundings)
    yield one
    one.close()
    assert one.letters == []


@pytest.mark.timeout(240)
@pytest.mark.parametrize("script", TITLES)
def test_titles_are_found_by_their_own_words_in_any_script(app: App, script: str) -> None:
    missed = [
        title
        for title in TITLES[script]
        if ITEM_OF[title] not in ids(app.search(f"for-{ITEM_OF[title]}", title))[:3]
    ]
    assert missed == []


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_every_codec_brings_a_list(surroundings: tuple[str, str], codec: str) -> None:
    app = App(*surroundings, codec=codec)
    assert app.listed(app.click(f"user-of-{codec}", "f1"))["user_id"] == f"user-of-{codec}"
    app.close()


def test_a_user_of_another_partitioner_is_one_user(surroundings: tuple[str, str]) -> None:
    app = App(*surroundings, partitioner="consistent_random")
    clicked = [f"f{number}" for number in range(20, 25)]
    for item_id in clicked:
        app.listed(app.click("zed", item_id))
    assert not set(clicked) & set(ids(app.ask("zed", k=100)))
    app.close()


def test_a_deletion_needs_the_id_alone_though_the_title_came_from_a_fast_clock(app: App) -> None:
    app.item("f1", deleted=True)
    app.send(Topic.ITEMS, "f2", None)
    shown = gone_from_lists(app, "watcher", {"f1", "f2"})
    assert len(shown) > FILLERS / 2
    app.item("f1", deleted=False)
    app.item("f2", title="Filler 2 again", categories=["filler"])
    app.wait(lambda: {"f1", "f2"} <= set(ids(app.ask("watcher", k=100))), "both to be back")


def test_what_a_change_leaves_out_stays_and_a_null_clears(app: App) -> None:
    app.item("f3", price=9)
    app.item("f4", categories=None)
    shown = gone_from_lists(app, "asker", {"f4"}, category="filler")
    assert "f3" in shown
    (entry,) = [one for one in app.ask("asker", k=100)["items"] if one["item_id"] == "f4"]
    assert entry["title"] == "Filler 4 of kind 4"


def test_reasons_name_nothing_that_was_withdrawn(app: App) -> None:
    app.item("w1", title="Withdrawn Wonder", categories=["filler"])
    app.listed(app.click("loyal", "w1", action="like"))
    app.wait(lambda: "Withdrawn Wonder" in causes(app.ask("loyal", k=100)), "its title")
    app.item("w1", deleted=True)
    app.wait(lambda: "Withdrawn Wonder" not in causes(app.ask("loyal", k=100)), "it to be gone")
    assert app.ask("loyal", k=100)["items"]


def test_a_guests_events_sent_again_as_the_users_count_once(app: App) -> None:
    clicked = {f"g{number}": f"f{number}" for number in range(10, 18)}
    for event_id, item_id in clicked.items():
        app.click("guest", item_id, event_id=event_id)
    merge = {"kind": "merge_user", "user_id": "ann", "from_user": "guest", "by": "app"}
    app.send(Topic.CONTROLS, "guest", {**merge, "why": "login"})
    for event_id, item_id in clicked.items():
        app.click("ann", item_id, event_id=event_id)
    assert gone_from_lists(app, "ann", set(clicked.values()))


def test_a_guests_events_sent_again_without_a_merge_are_the_users(app: App) -> None:
    for user in ("passer-by", "known"):
        for number in range(10, 18):
            app.click(user, f"f{number}", event_id=f"again-{number}")
    assert gone_from_lists(app, "known", {f"f{number}" for number in range(10, 18)})


def test_what_is_shown_and_left_wears_off(app: App) -> None:
    app.listed(app.click("tired", "f5"))
    first = ids(app.ask("tired"))
    for number in range(15):
        shown = {"user_id": "tired", "list_id": f"l{number}", "item_ids": list(first)}
        app.send(Topic.IMPRESSIONS, "tired", {**shown, "ts": now_ms() - 1000 * (15 - number)})
    app.wait(lambda: set(ids(app.ask("tired"))) != set(first), "another list")
    worn = app.ask("tired", k=100)
    assert set(first) <= set(ids(worn))  # nothing is taken out by it
    assert "fatigue" in {reason["signal"] for entry in worn["items"] for reason in entry["reasons"]}


def test_milk_comes_again_when_it_is_due_and_whenever_its_name_is_searched(app: App) -> None:
    app.item("milk", title="Fresh whole milk one litre", categories=["dairy"])
    app.wait(lambda: "milk" in ids(app.ask("buyer", k=100)), "the milk")
    now = now_ms()
    for weeks in (5, 4, 3, 2, 1):
        trigger = app.click("buyer", "milk", action="purchase", ts=now - weeks * 7 * DAY_MS)
    app.listed(trigger)
    assert "milk" in ids(app.ask("buyer", k=100))  # a week after the last
    app.listed(app.click("buyer", "milk", action="purchase", ts=now))
    assert "milk" not in ids(app.ask("buyer", k=100))
    assert "milk" in ids(app.search("buyer", "Fresh whole milk one litre"))[:3]


def test_the_last_word_on_an_item_counts(app: App) -> None:
    app.item("r1", title="Regretted Rapture", categories=["filler"])
    app.wait(lambda: "r1" in ids(app.ask("critic", k=100)), "the item")
    app.listed(app.review("critic", "r1", rating=5.0))
    assert "Regretted Rapture" in causes(app.ask("critic", k=100))
    app.listed(app.review("critic", "r1", rating=0.5))
    assert "Regretted Rapture" not in favour(app.ask("critic", k=100))


def test_what_is_personal_in_a_search_goes_no_further_and_an_article_number_does(app: App) -> None:
    words = "cola 036000291452 for ann＠example.org, DE89 3704 0044 0532 0130 00"
    said = " ".join(filter(None, causes(app.search("private", words))))
    assert "036000291452" in said
    assert not {"ann", "example", "3704", "0532"} & set(re.findall(r"\w+", said))


def test_an_opinion_that_is_taken_back_is_no_reason_any_more(app: App) -> None:
    app.item("u1", title="Undone Utopia", categories=["filler"])
    app.wait(lambda: "u1" in ids(app.ask("fickle", k=100)), "the item")
    app.listed(app.click("fickle", "u1", action="like"))
    assert "Undone Utopia" in causes(app.ask("fickle", k=100))
    app.click("fickle", "u1", action="unlike")
    app.wait(lambda: "Undone Utopia" not in causes(app.ask("fickle", k=100)), "it to be gone")
    assert app.ask("fickle", k=100)["items"]


def gone_from_lists(app: App, user: str, gone: set[str], **wish: Any) -> set[str]:
    """Waits until a list of all there is has none of them; the rest."""
    shown: set[str] = set()

    def look() -> bool:
        shown.clear()
        shown.update(ids(app.ask(user, k=100, **wish)))
        return not gone & shown

    app.wait(look, f"{gone} to be gone")
    return shown


def causes(one: dict[str, Any]) -> set[str]:
    """All titles and words that a list's reasons name."""
    return {reason.get("because") for entry in one["items"] for reason in entry["reasons"]}


def favour(one: dict[str, Any]) -> set[str]:
    """Those of what speaks for an entry."""
    return {
        reason.get("because")
        for entry in one["items"]
        for reason in entry["reasons"]
        if reason["weight"] > 0
    }
