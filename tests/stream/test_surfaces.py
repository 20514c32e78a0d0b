"""What a policy hides on a surface stays hidden whatever else speaks for an item: overrides, pins,
variants that share a place, explored places, bounds on exposure, all of them at once.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encoders.hashing import HashingEncoder
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from tests.stream.test_policy import SHOWN, SURFACES, TITLES, on_surface, record
from upwell.events import Topic
from upwell.settings import Settings

USER, ITEM = st.integers(0, 3), st.integers(0, 7)
SCOPES = (
    {},
    {"user_id": "u0"},
    {"user_id": "u1"},
    {"segment": "minors"},
    *({"query": title} for title in TITLES),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("variant"), ITEM, st.sampled_from(TITLES), st.booleans(), st.integers(0, 2)
        ),
        st.tuples(
            st.just("override"),
            ITEM,
            st.sampled_from(["pin", "boost", "keep"]),
            st.sampled_from(SCOPES),
        ),
        st.tuples(st.just("pin"), ITEM),
        st.tuples(st.just("click"), USER, ITEM),
        st.tuples(st.just("search"), USER, st.sampled_from(TITLES)),
        st.tuples(st.just("tag"), USER),
        st.tuples(st.just("on"), USER, st.sampled_from(list(SHOWN))),
    ),
    min_size=12,
    max_size=30,
)
BEGINNING = [
    ("variant", number, TITLES[number % len(TITLES)], number % 3 == 0, number % 3)
    for number in range(8)
]


def told(number: int, step: tuple[object, ...]) -> LogRecord:
    match step:
        case ("variant", item, title, horror, group):
            kinds = ["Horror"] if horror else ["Drama"]
            variant = {"title": title, "categories": kinds, "group": f"g{group}"}
            return record(Topic.ITEMS, number, item_id=f"i{item}", **variant)
        case ("override", item, decision, dict(scope)):
            worth = {"boost": 9.0} if decision == "boost" else {}
            return record(
                Topic.CONTROLS,
                number,
                kind="override",
                override_id=f"o{number}",
                item_id=f"i{item}",
                decision=decision,
                by="op",
                why="w",
                **worth,
                **scope,
            )
        case _:
            return on_surface(number, step)


def engine_of(folder: Path, explore: float, exposure: str | None) -> InlineEngine:
    path = folder / "policy.toml"
    path.write_text(SURFACES, "utf-8")
    base = Settings()
    own = replace(
        base,
        policy=path,
        stream=replace(base.stream, exposure=exposure),
        learner=replace(base.learner, explore=explore, diversity=2.0, calibration=1.5),
    )
    return InlineEngine(own, HashingEncoder())


@pytest.mark.parametrize(
    ("explore", "exposure"), [(0.0, None), (1.0, None), (1.0, "popularity:tail>=0.5")]
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_no_list_has_what_is_hidden_whatever_speaks_for_it(
    tmp_path_factory: pytest.TempPathFactory,
    explore: float,
    exposure: str | None,
    steps: list[tuple[object, ...]],
) -> None:
    engine = engine_of(tmp_path_factory.mktemp("surfaces"), explore, exposure)
    under: dict[str, set[str]] = {}
    minors: set[str] = set()
    for number, step in enumerate([*BEGINNING, *steps]):
        effects = engine.process([told(number, step)])
        assert effects.dead_letters == ()
        if step[0] == "variant":
            kinds = {"mild": step[2] == "D4rn it", "scary": bool(step[3])}
            under[f"i{step[1]}"] = {name for name, is_so in kinds.items() if is_so}
        if step[0] == "tag":
            minors.add(f"u{step[1]}")
        for fresh in effects.lists:
            hidden = SHOWN[fresh.surface] | ({"scary"} if fresh.user_id in minors else set())
            assert not [one.item_id for one in fresh.items if under[one.item_id] & hidden]


def test_an_override_holds_where_its_item_is_not_hidden(tmp_path: Path) -> None:
    """So that the law above is not kept by overrides that do nothing."""
    engine = engine_of(tmp_path, 0.0, None)
    steps = [*BEGINNING, ("override", 3, "pin", {"user_id": "u0"})]
    for number, step in enumerate(steps):
        engine.process([told(number, step)])

    def shown(number: int, surface: str | None) -> list[str]:
        [fresh] = engine.process([told(number, ("on", 0, surface))]).lists
        return [one.item_id for one in fresh.items]

    assert shown(20, "home")[0] == shown(21, None)[0] == "i3"
    assert "i3" not in shown(22, "kids")
    assert "i3" not in shown(23, "unknown")


def test_another_variant_stands_for_one_that_is_hidden(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, 0.0, None)
    steps: list[tuple[object, ...]] = [
        ("variant", 0, "Fine", True, 0),
        ("variant", 1, "Fine", False, 0),
        ("override", 0, "pin", {}),
    ]
    for number, step in enumerate(steps):
        engine.process([told(number, step)])

    def shown(number: int, surface: str) -> list[str]:
        [fresh] = engine.process([told(number, ("on", 0, surface))]).lists
        return [one.item_id for one in fresh.items]

    assert shown(10, "home")[0] == "i0"
    assert shown(11, "kids") == ["i1"]
