"""A policy's classifier in the whole engine: what it calls harmful is in no list and not read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encoders.hashing import HashingEncoder
from stream.chain.policy.model_file import write_model
from stream.replay.inline import InlineEngine
from tests.stream.chain.policy.harm import model
from tests.stream.test_policy import Listening, announced, as_record, record
from upwell.events import Topic
from upwell.settings import Settings

JUDGED = ("a quiet film", "two friends", "a winter train", "a quiet d4rn film", "H.e.c.k friends")
"""The last two are harmful."""


@pytest.fixture(scope="module")
def classifying(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    path = tmp_path_factory.mktemp("classified") / "policy.toml"
    write_model(path.parent / "harm.json", model())
    path.write_text('[classifier]\nmodel = "harm.json"\nthreshold = 0.95\n', "utf-8")
    return replace(Settings(), policy=path)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("item"), st.integers(0, 5), st.sampled_from(JUDGED)),
            st.tuples(st.just("pin"), st.integers(0, 5)),
            st.tuples(st.just("click"), st.integers(0, 3), st.integers(0, 5)),
            st.tuples(st.just("ask"), st.integers(0, 3)),
            st.tuples(st.just("search"), st.integers(0, 3), st.sampled_from(JUDGED)),
        ),
        min_size=6,
        max_size=24,
    )
)
def test_no_list_has_what_a_classifier_calls_harmful(
    classifying: Settings, steps: list[tuple[object, ...]]
) -> None:
    engine = InlineEngine(classifying, HashingEncoder())
    harmless: dict[str, bool] = {}
    for number, step in enumerate(steps):
        effects = engine.process([as_record(number, (*step, *[False][: step[0] == "item"]))])
        if step[0] == "item":
            harmless[f"i{step[1]}"] = step[2] in JUDGED[:3]
        for fresh in effects.lists:
            assert all(harmless[entry.item_id] for entry in fresh.items)


def test_users_words_that_a_classifier_calls_harmful_have_no_effect(classifying: Settings) -> None:
    encoder = Listening()
    engine = InlineEngine(classifying, encoder)
    engine.process([announced(0, 1, "a quiet film", False)])
    encoder.read.clear()
    effects = engine.process(
        [
            record(Topic.QUERIES, 1, user_id="u", text="a quiet d4rn film"),
            record(Topic.REVIEWS, 2, user_id="v", item_id="i1", rating=4, text="heck two friends"),
            record(Topic.QUERIES, 3, user_id="w", text="winter train"),
        ]
    )
    assert encoder.read == ["winter train"]
    assert effects.counts["masked"] == 2
    assert [one.item_id for one in effects.lists[-1].items] == ["i1"]
    assert {one.user_id for one in effects.lists} == {"u", "v", "w"}
    assert effects.dead_letters == ()


def test_a_classifier_of_queries_leaves_reviews_as_they_are(classifying: Settings) -> None:
    assert classifying.policy is not None
    path = classifying.policy.with_name("queries.toml")
    path.write_text('[classifier]\nmodel = "harm.json"\nreads = ["queries"]\n', "utf-8")
    encoder = Listening()
    engine = InlineEngine(replace(classifying, policy=path), encoder)
    engine.process([announced(0, 1, "a quiet darn film", False)])
    encoder.read.clear()
    effects = engine.process(
        [
            record(Topic.QUERIES, 1, user_id="u", text="a quiet darn film"),
            record(Topic.REVIEWS, 2, user_id="v", item_id="i1", rating=4, text="heck two friends"),
        ]
    )
    assert encoder.read == ["heck two friends"]
    assert effects.counts["masked"] == 1
    assert [one.item_id for one in effects.lists[0].items] == ["i1"]
