"""What was shown and left wears off, through the whole chain: 15 impressions of one list change it,
what the user does on an item clears it, and time does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson
import pytest

from encoders.hashing import HashingEncoder
from learner.ranking.fatigue import worn
from stream.chain.wire import decode_examples, encode_examples
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from tests.stream.chain.chain import NOW_MS, PSEUDONYMIZER, Chain, record
from upwell.events import Topic
from upwell.recommendations import Entry
from upwell.settings import LearnerSettings, Settings
from upwell.values import Shown

DAY = 86_400_000
T0 = 1_700_000_000_000
ITEMS = 60
ANN = PSEUDONYMIZER.pseudonym("ann")
SETTINGS = Settings(learner=LearnerSettings(fused=False, explore=0.0, test_sample=1.0))


class App:
    """An app of one engine, whose users have clicked their way through the catalogue."""

    def __init__(self, fatigue: bool = True) -> None:
        stream = replace(SETTINGS.stream, fatigue=fatigue, bot_events=0)
        self.engine = InlineEngine(replace(SETTINGS, stream=stream), HashingEncoder(16))
        self.now, self.number = T0, 0
        self.newest: Sequence[Entry] = ()
        for item in range(ITEMS):
            self.send(Topic.ITEMS, item_id=f"i{item}", title=f"Title number {item}")
        for user in range(40):
            for step in range(8):
                self.act(f"u{user}", f"i{(user * 3 + step * step) % ITEMS}")
        for item in (0, 3, 6):
            self.act("ann", f"i{item}")

    def send(self, topic: Topic, **value: object) -> Sequence[str]:
        """The items of the list that it brings, if any."""
        self.number += 1
        self.now += 1_000
        whole = {"event_id": f"e{self.number}", "ts": self.now, **value}
        key = str(value.get("user_id", value.get("item_id"))).encode()
        line = LogRecord(self.number, topic, key, orjson.dumps(whole))
        lists = self.engine.process([line]).lists
        self.newest = [entry for fresh in lists for entry in fresh.items]
        return [entry.item_id for entry in self.newest]

    def act(self, user: str, item: str, action: str = "click") -> Sequence[str]:
        return self.send(Topic.CLICKS, user_id=user, item_id=item, action=action)

    def ask(self) -> Sequence[str]:
        return self.send(Topic.REQUESTS, user_id="ann", request_id=f"r{self.number}")

    def show(self, items: Sequence[str], times: int = 1) -> None:
        for _ in range(times):
            self.send(Topic.IMPRESSIONS, user_id="ann", list_id="l", item_ids=items)


def test_fifteen_impressions_of_one_list_without_a_click_change_it() -> None:
    app = App()
    before = app.ask()
    assert len(before) == 10
    app.show(before, 15)
    after = app.ask()
    assert len(after) == 10
    assert len({*before} & {*after}) <= 6
    assert app.ask() == after  # a list that nobody showed wears nothing


def test_without_the_setting_it_stays() -> None:
    app = App(fatigue=False)
    before = app.ask()
    app.show(before, 15)
    assert app.ask() == before
    assert app.engine.users.read([ANN])[ANN].shown == ()


def test_fifteen_of_the_same_millisecond_are_fifteen() -> None:
    app = App()
    before = app.ask()
    for _ in range(15):
        app.now = T0 + DAY
        app.show(before)
    assert len({*before} & {*app.ask()}) <= 6


def test_a_good_item_comes_back_with_time() -> None:
    app = App()
    before = app.ask()
    app.show(before, 15)
    assert app.ask() != before
    app.now += 60 * DAY
    assert app.ask() == before


def test_a_view_of_an_item_clears_its_own_fatigue_and_a_click_takes_it_out() -> None:
    app = App()
    before = app.ask()
    app.show(before, 15)
    looked, clicked = before[0], before[1]
    app.act("ann", looked, "view")
    app.act("ann", clicked)
    state = app.engine.users.read([ANN])[ANN]
    left = worn(state.shown, state.history, app.now)
    assert {looked, clicked}.isdisjoint(left)
    assert set(left) == {*before} - {looked, clicked}
    assert clicked not in app.ask()
    request = {"user_id": "ann", "request_id": "all", "k": ITEMS}
    app.send(Topic.REQUESTS, **request)
    worn_off = {
        entry.item_id
        for entry in app.newest
        if any(reason.signal == "fatigue" for reason in entry.reasons)
    }
    assert worn_off == {*before} - {looked, clicked}


def impression(offset: int, *items: str, user: str = "ann", **more: object) -> dict[str, object]:
    return {"user_id": user, "list_id": "l", "item_ids": items or ("i0", "i1"), **more}


def test_an_impression_makes_a_state_and_no_list_and_counts_once() -> None:
    chain = Chain()
    first = record(Topic.IMPRESSIONS, 0, impression(0))
    effects = chain.pipeline.run([first], NOW_MS)
    assert (effects.lists, effects.examples, effects.dead_letters) == ((), (), ())
    [state] = effects.states
    assert state.shown == (Shown("impressions-0", NOW_MS - 1_000, ("i0", "i1")),)
    assert (state.events, state.history, state.had) == (0, (), ())
    retry = replace(first, offset=7)
    for again in (first, retry):  # delivered again, and sent again, to a worker that starts
        Chain(chain.store).pipeline.run([again], NOW_MS)
        kept = chain.state("ann")
        assert kept is not None
        assert kept.shown == state.shown


def test_a_list_is_asked_with_what_is_worn_by_its_trigger() -> None:
    chain = Chain()
    chain.pipeline.run([record(Topic.IMPRESSIONS, at, impression(at)) for at in (0, 1)], NOW_MS)
    click = {"user_id": "ann", "item_id": "i1", "action": "click", "ts": NOW_MS}
    chain.pipeline.run([record(Topic.CLICKS, 0, click)], NOW_MS)
    request = {"user_id": "ann", "request_id": "r", "ts": NOW_MS + 3 * DAY}
    chain.pipeline.run([record(Topic.REQUESTS, 0, request)], NOW_MS + 3 * DAY)
    [[after_click], [asked]] = chain.ranker.calls
    assert after_click.worn == {"i0": pytest.approx(2.0, abs=1e-4)}
    assert asked.worn == {"i0": pytest.approx(1.0, abs=1e-4)}


def test_the_example_of_a_choice_says_among_what_and_comes_back_from_its_bytes() -> None:
    chain = Chain()
    chain.pipeline.run([record(Topic.IMPRESSIONS, at, impression(at)) for at in (0, 1)], NOW_MS)
    click = {"user_id": "ann", "item_id": "i1", "action": "click", "ts": NOW_MS}
    [example] = chain.pipeline.run([record(Topic.CLICKS, 0, click)], NOW_MS).examples
    assert example.tested
    assert [item for item, _ in example.beside] == ["i0", "i1"]
    [found] = decode_examples(encode_examples([example]))  # type: ignore[misc]
    assert found.beside == example.beside
    bare = replace(example, beside=())
    assert len(orjson.loads(encode_examples([bare]))["examples"][0]) == 11  # as of older versions
    [found] = decode_examples(encode_examples([bare]))  # type: ignore[misc]
    assert found.beside == ()


def test_to_forget_the_user_forgets_what_they_saw() -> None:
    chain = Chain()
    chain.pipeline.run([record(Topic.IMPRESSIONS, 0, impression(0))], NOW_MS)
    asked = {"kind": "forget_user", "user_id": "ann", "by": "op", "why": "asked to"}
    chain.pipeline.run([record(Topic.CONTROLS, 0, asked, appended_ms=NOW_MS)], NOW_MS)
    assert chain.state("ann") is None
    chain.pipeline.run([record(Topic.IMPRESSIONS, 0, impression(0))], NOW_MS)
    assert chain.state("ann") is None


def test_what_a_guest_saw_stays_the_guests() -> None:
    chain = Chain()
    merge = {"kind": "merge_user", "user_id": "ann", "from_user": "g", "by": "shop", "why": "login"}
    home = record(Topic.IMPRESSIONS, 0, impression(0, user="g"))
    chain.pipeline.run([home], NOW_MS)
    asked = record(Topic.CONTROLS, 0, merge, partition=home.partition)
    sent = chain.pipeline.run([asked], NOW_MS).rerouted
    assert len(sent) == 1
    assert b"i0" not in sent[0].value
    later = chain.pipeline.run([record(Topic.IMPRESSIONS, 1, impression(1, user="g"))], NOW_MS)
    assert later.rerouted == ()
    guest = chain.state("g")
    assert guest is not None
    assert len(guest.shown) == 2
