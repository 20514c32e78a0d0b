"""A policy in the whole engine: what it blocks is in no list, what it masks is not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encoders.hashing import HashingEncoder
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.settings import Settings
from upwell.values import Vector

T0 = 1_700_000_000_000
FILE = """
[lists.abuse]
words = ["darn"]
[lists.horror]
categories = ["Horror"]
"""
TITLES = ("Fine", "D4rn it", "Quiet", "Ghosts", "Plain")


class Listening(HashingEncoder):
    """Keeps what it read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vector:
        self.read += texts
        return super().encode(texts)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    path = tmp_path_factory.mktemp("policy") / "policy.toml"
    path.write_text(FILE, "utf-8")
    return replace(Settings(), policy=Path(path))


def record(topic: Topic, number: int, **value: object) -> LogRecord:
    key = str(value.get("user_id") or value.get("item_id"))
    told = {"event_id": f"e{number}", "ts": T0 + number, **value}
    return LogRecord(number, topic, key.encode(), orjson.dumps(told))


def announced(number: int, item: int, title: str, horror: bool) -> LogRecord:
    kinds = ["Horror"] if horror else ["Drama"]
    return record(Topic.ITEMS, number, item_id=f"i{item}", title=title, categories=kinds)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("item"), st.integers(0, 5), st.sampled_from(TITLES), st.booleans()),
        st.tuples(st.just("pin"), st.integers(0, 5)),
        st.tuples(st.just("boost"), st.integers(0, 5)),
        st.tuples(st.just("click"), st.integers(0, 3), st.integers(0, 5)),
        st.tuples(st.just("ask"), st.integers(0, 3)),
        st.tuples(st.just("search"), st.integers(0, 3), st.sampled_from(TITLES)),
    ),
    min_size=6,
    max_size=24,
)


def as_record(number: int, step: tuple[object, ...]) -> LogRecord:
    match step:
        case ("item", int(item), str(title), bool(horror)):
            return announced(number, item, title, horror)
        case ("pin" | "boost" as kind, int(item)):
            worth = {"boost": 9.0} if kind == "boost" else {}
            said = {"kind": f"{kind}_item", "by": "op", "why": "w", "item_id": f"i{item}", **worth}
            return record(Topic.CONTROLS, number, **said)
        case ("click", user, item):
            fields = {"user_id": f"u{user}", "item_id": f"i{item}", "action": "click"}
            return record(Topic.CLICKS, number, **fields)
        case ("search", user, text):
            return record(Topic.QUERIES, number, user_id=f"u{user}", text=text)
        case (_, user):
            return record(Topic.REQUESTS, number, user_id=f"u{user}", request_id=f"r{number}")
        case _:
            raise AssertionError(step)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_no_list_has_what_is_blocked_whatever_was_said_of_it(
    own: Settings, steps: list[tuple[object, ...]]
) -> None:
    engine = InlineEngine(own, HashingEncoder())
    harmless: dict[str, bool] = {}
    for number, step in enumerate(steps):
        effects = engine.process([as_record(number, step)])
        if step[0] == "item":
            harmless[f"i{step[1]}"] = step[2] != "D4rn it" and not step[3]
        for fresh in effects.lists:
            assert all(harmless[entry.item_id] for entry in fresh.items)


def test_an_item_that_says_it_no_more_is_back(own: Settings) -> None:
    engine = InlineEngine(own, HashingEncoder())
    ask = record(Topic.REQUESTS, 3, user_id="u", request_id="r")
    engine.process([announced(0, 1, "Darn", False), announced(1, 2, "Fine", False)])
    assert [one.item_id for one in engine.process([ask]).lists[0].items] == ["i2"]
    engine.process([announced(4, 1, "Mended", False)])
    again = record(Topic.REQUESTS, 5, user_id="u", request_id="s")
    found = {one.item_id for one in engine.process([again]).lists[0].items}
    assert found == {"i1", "i2"}


def test_a_segment_is_not_shown_what_the_policy_hides_from_it(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    hidden = '[lists.horror]\ncategories = ["Horror"]\nitems = "keep"\n'
    path.write_text(hidden + '[segments.minors]\nhide = ["horror"]\n', "utf-8")
    engine = InlineEngine(replace(Settings(), policy=path), HashingEncoder())
    engine.process([announced(0, 1, "Ghosts", True), announced(1, 2, "Fine", False)])
    said = {"by": "op", "why": "w"}
    engine.process([record(Topic.CONTROLS, 2, kind="pin_item", item_id="i1", **said)])

    def shown(user: str, number: int) -> list[str]:
        ask = record(Topic.REQUESTS, number, user_id=user, request_id=f"r{number}")
        return [one.item_id for one in engine.process([ask]).lists[0].items]

    tag = {"user_id": "kid", "segment": "minors", **said}
    engine.process([record(Topic.CONTROLS, 3, kind="tag_user", **tag)])
    assert shown("kid", 4) == ["i2"]
    assert shown("ann", 5) == ["i1", "i2"]
    engine.process([record(Topic.CONTROLS, 6, kind="untag_user", **tag)])
    assert shown("kid", 7) == ["i1", "i2"]


SHOWN = {None: {"mild"}, "home": set(), "kids": {"mild", "scary"}, "unknown": {"mild", "scary"}}
"""By surface the lists that the file below hides there."""
SURFACES = """
[lists.mild]
words = ["darn"]
items = "keep"
[lists.scary]
categories = ["Horror"]
items = "keep"
[surfaces.home]
hide = []
[surfaces.kids]
hide = ["mild", "scary"]
[surfaces.""]
hide = ["mild"]
[segments.minors]
hide = ["scary"]
"""
ON_SURFACES = st.lists(
    st.one_of(
        st.tuples(st.just("item"), st.integers(0, 5), st.sampled_from(TITLES), st.booleans()),
        st.tuples(st.sampled_from(["pin", "boost"]), st.integers(0, 5)),
        st.tuples(st.just("click"), st.integers(0, 3), st.integers(0, 5)),
        st.tuples(st.just("search"), st.integers(0, 3), st.sampled_from(TITLES)),
        st.tuples(st.just("tag"), st.integers(0, 3)),
        st.tuples(st.just("on"), st.integers(0, 3), st.sampled_from(list(SHOWN))),
    ),
    min_size=6,
    max_size=24,
)


def on_surface(number: int, step: tuple[object, ...]) -> LogRecord:
    match step:
        case ("on", user, surface):
            asked = {"request_id": f"r{number}", "surface": surface}
            return record(Topic.REQUESTS, number, user_id=f"u{user}", **asked)
        case ("tag", user):
            said = {"kind": "tag_user", "segment": "minors", "by": "op", "why": "w"}
            return record(Topic.CONTROLS, number, user_id=f"u{user}", **said)
        case _:
            return as_record(number, step)


@pytest.mark.parametrize(
    ("explore", "exposure"), [(0.0, None), (1.0, None), (0.0, "popularity:tail>=0.5")]
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=ON_SURFACES)
def test_no_list_has_what_is_hidden_where_it_is_shown(
    tmp_path_factory: pytest.TempPathFactory,
    explore: float,
    exposure: str | None,
    steps: list[tuple[object, ...]],
) -> None:
    path = tmp_path_factory.mktemp("surfaces") / "policy.toml"
    path.write_text(SURFACES, "utf-8")
    base = Settings()
    own = replace(
        base,
        policy=path,
        stream=replace(base.stream, exposure=exposure),
        learner=replace(base.learner, explore=explore),
    )
    engine = InlineEngine(own, HashingEncoder())
    under: dict[str, set[str]] = {}
    minors: set[str] = set()
    for number, step in enumerate(steps):
        effects = engine.process([on_surface(number, step)])
        if step[0] == "item":
            kinds = {"mild": step[2] == "D4rn it", "scary": bool(step[3])}
            under[f"i{step[1]}"] = {name for name, is_so in kinds.items() if is_so}
        if step[0] == "tag":
            minors.add(f"u{step[1]}")
        for fresh in effects.lists:
            assert fresh.surface == (step[2] if step[0] == "on" else None)
            hidden = SHOWN[fresh.surface] | ({"scary"} if fresh.user_id in minors else set())
            shown = {entry.item_id for entry in fresh.items}
            assert all(not under[item] & hidden for item in shown)


def test_what_one_surface_hides_another_shows(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(SURFACES, "utf-8")
    engine = InlineEngine(replace(Settings(), policy=path), HashingEncoder())
    engine.process([announced(0, 1, "Ghosts", True), announced(1, 2, "Darn", False)])

    def shown(number: int, surface: str | None) -> list[str]:
        ask = on_surface(number, ("on", 1, surface))
        return sorted(one.item_id for one in engine.process([ask]).lists[0].items)

    assert shown(2, "home") == ["i1", "i2"]
    assert shown(3, None) == ["i1"]
    assert shown(4, "kids") == shown(5, "unknown") == []


def test_users_words_are_read_without_it_and_counted(own: Settings) -> None:
    encoder = Listening()
    engine = InlineEngine(own, encoder)
    engine.process([announced(0, 1, "Fine", False)])
    encoder.read.clear()
    effects = engine.process(
        [
            record(Topic.QUERIES, 1, user_id="u", text="a d.a.r.n fine film"),
            record(Topic.QUERIES, 2, user_id="v", text="DARN"),
            record(Topic.REVIEWS, 3, user_id="v", item_id="i1", rating=4, text="d@rn good"),
            record(Topic.QUERIES, 4, user_id="w", text="fine"),
        ]
    )
    assert encoder.read == ["a fine film", "good", "fine"]
    assert effects.counts["masked"] == 3
    assert {one.user_id for one in effects.lists} == {"u", "v", "w"}
    assert effects.dead_letters == ()


def test_without_a_policy_nothing_is_masked() -> None:
    engine = InlineEngine(Settings(), HashingEncoder())
    engine.process([announced(0, 1, "Darn", False)])
    effects = engine.process([record(Topic.QUERIES, 1, user_id="u", text="darn")])
    assert [one.item_id for one in effects.lists[0].items] == ["i1"]
    assert effects.counts["masked"] == 0
