"""Internal records come back as they went; what is not of this version is a fault with one line;
garbage on `rerouted` is none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.wire import (
    decode_examples,
    decode_item,
    decode_rerouted,
    encode_examples,
    encode_item,
    encode_rerouted,
    first_appended,
    first_appended_header,
)
from tests.stream.chain.chain import examples_in
from upwell.errors import BrokerError
from upwell.events import Topic, type_of_topic
from upwell.values import CatalogueItem, Example, Interaction, Vector

SOURCE = "clicks-2"
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
numbers = st.integers(0, 2**53 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)


def vectors(width: Literal[16, 32]) -> st.SearchStrategy[Vector]:
    return st.lists(st.floats(-1, 1, width=width), min_size=1, max_size=8).map(
        lambda values: np.asarray(values, dtype=np.float32)
    )


def interactions(source: str, offset: st.SearchStrategy[int]) -> st.SearchStrategy[Interaction]:
    rating = st.none() | st.floats(0.5, 5)
    return st.builds(
        Interaction,
        names,
        numbers,
        names,
        st.sampled_from(["click", "review", "skip", "play"]),
        rating,
        st.just(source),
        offset,
        st.none() | st.floats(0, 1),
    )


@st.composite
def examples(draw: st.DrawFn) -> Example:
    event = draw(interactions(SOURCE, numbers))
    history = draw(st.lists(interactions("reviews-0", numbers), max_size=4))
    return Example(
        source=SOURCE,
        offset=event.offset,
        user=draw(names),
        event=event,
        history=tuple(history),
        intent=draw(st.none() | vectors(16)),
        user_events=draw(numbers),
        tested=draw(st.booleans()),
        had=tuple(draw(st.lists(names, max_size=4))),
        beside=tuple(draw(st.lists(st.tuples(names, floats), max_size=2))),
        segments=tuple(draw(st.lists(names, max_size=2))),
    )


def items() -> st.SearchStrategy[CatalogueItem]:
    maybe = st.none() | names
    return st.builds(
        CatalogueItem,
        item_id=names,
        ts=numbers,
        title=names,
        vector=vectors(32),
        revision=names,
        text=maybe,
        categories=st.lists(names, max_size=3).map(tuple),
        relations=st.lists(st.tuples(names, st.lists(names).map(tuple)), max_size=3).map(tuple),
        brand=maybe,
        price=st.none() | floats,
        image=maybe,
        language=maybe,
        deleted=st.booleans(),
        banned=st.booleans(),
        pinned=st.booleans(),
        boost=floats,
        sequence=numbers,
        pictured=st.just("") | names,
        group=st.none() | names.filter(bool),
    )


@given(st.lists(examples(), min_size=1, max_size=4))
def test_examples_come_back_but_for_what_the_learner_does_not_need(
    given_examples: list[Example],
) -> None:
    found = examples_in(encode_examples(given_examples))
    assert len(found) == len(given_examples)
    for one, other in zip(given_examples, found, strict=True):
        history = tuple(replace(entry, event_id="", source="", offset=-1) for entry in one.history)
        assert replace(other, intent=None) == replace(one, intent=None, history=history)
        if one.intent is None or other.intent is None:
            assert one.intent is other.intent
        else:
            assert other.intent.dtype == np.float32
            np.testing.assert_array_equal(other.intent, one.intent)


def test_what_older_workers_wrote_loads_and_what_says_nothing_new_is_as_they_wrote_it() -> None:
    event = Interaction("e", 1, "i", "click", None, SOURCE, 7)
    plain = Example(
        source=SOURCE,
        offset=7,
        user="u",
        event=event,
        history=(replace(event, event_id="", source="", offset=-1),),
        intent=None,
        user_events=1,
        tested=False,
    )
    record = orjson.loads(encode_examples([plain]))
    assert [len(row) for row in record["examples"]] == [11]
    assert examples_in(orjson.dumps(record)) == [plain]
    played = replace(plain, event=replace(event, kind="play", completion=0.25))
    assert examples_in(encode_examples([plain, played])) == [plain, played]
    told = orjson.loads(encode_examples([replace(plain, segments=("women",))]))
    assert [len(row) for row in told["examples"]] == [14], "an older reader takes the first 13"
    told["examples"] = [row[:13] for row in told["examples"]]
    assert examples_in(orjson.dumps(told)) == [plain]
    item = CatalogueItem(item_id="i", ts=1, title="t", vector=np.ones(2, np.float32), revision="r")
    assert "group" not in orjson.loads(encode_item(item))
    assert decode_item(encode_item(replace(item, group="g"))).group == "g"


def test_an_intent_keeps_three_digits() -> None:
    intent = np.asarray([0.1234567, -0.7654321], dtype=np.float32)
    example = Example(
        source=SOURCE,
        offset=1,
        user="u",
        event=Interaction("e", 1, "i", "click"),
        history=(),
        intent=intent,
        user_events=0,
        tested=False,
    )
    [found] = examples_in(encode_examples([example]))
    np.testing.assert_allclose(found.intent, intent, rtol=1e-3)  # type: ignore[arg-type]


@given(items())
def test_a_catalogue_item_comes_back_exactly(item: CatalogueItem) -> None:
    found = decode_item(encode_item(item))
    assert found.vector.dtype == np.float32
    np.testing.assert_array_equal(found.vector, item.vector)
    assert all(
        getattr(found, name) == getattr(item, name)
        for name in CatalogueItem.__slots__
        if name != "vector"
    )


@given(st.sampled_from(list(type_of_topic)), st.binary())
def test_a_rerouted_event_comes_back_byte_by_byte(topic: Topic, value: bytes) -> None:
    assert decode_rerouted(encode_rerouted(topic, value)) == (topic, value)


@given(st.binary())
def test_any_bytes_on_rerouted_are_taken_without_an_exception(raw: bytes) -> None:
    topic, value = decode_rerouted(raw)
    assert topic in type_of_topic or (topic, value) == (Topic.REROUTED, raw)


@pytest.mark.parametrize("raw", [b"{}", b'{"v": 2}', b"[]", b"null", b"7", b"{", b"", b"\xff"])
def test_a_record_of_another_version_or_of_another_program_is_a_fault_that_says_so(
    raw: bytes,
) -> None:
    for decode, topic in ((decode_examples, "examples"), (decode_item, "catalogue")):
        with pytest.raises(BrokerError, match=f"topic {topic}: .*UPWELL_PREFIX"):
            decode(raw)


def test_the_bytes_are_json_for_a_person_who_looks() -> None:
    item = CatalogueItem(
        item_id="i", ts=1, title="Über", vector=np.ones(2, dtype=np.float32), revision="r"
    )
    assert orjson.loads(encode_item(item))["title"] == "Über"


@given(numbers)
def test_a_header_tells_when_what_is_sent_on_was_first_appended(at: int) -> None:
    at %= 10**15
    assert first_appended(dict(first_appended_header(at))) == at
    assert first_appended_header(None) == ()


@pytest.mark.parametrize(
    "raw", [b"", b"-1", b"+1", b"1.5", b"1_0", b" 1", b"\xff", b"1" * 16, "١".encode(), b"NaN"]
)
def test_a_header_that_is_no_time_is_none(raw: bytes) -> None:
    assert first_appended({"first-appended-ms": raw}) is None
    assert first_appended({}) is None
