"""Records in, what of them is a user's out: by id on apps' topics, by pseudonym on Upwell's own,
whatever bytes stand there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.effects import Erasure
from stream.chain.fold import Incoming
from stream.chain.merge.guest import Forgetting, Merged
from stream.chain.merge.message import encode_forgetting, encode_merged
from stream.chain.wire import encode_erasure, encode_examples, encode_rerouted
from stream.ops.access.whose import LOOKED_AT, Whose, json_ready
from upwell.events import Topic
from upwell.uses.topics import UseTopic
from upwell.values import Example, Interaction

ANN, GUEST, BOB = "a" * 32, "c" * 32, "b" * 32
WHOSE = Whose(frozenset({"ann", "Änne 😀"}), frozenset({ANN, GUEST}))
BY_APPS = (
    Topic.CLICKS,
    Topic.QUERIES,
    Topic.RECOMMENDATIONS,
    Topic.CONFIRMATIONS,
    UseTopic.QUESTIONS,
    UseTopic.ANSWERS,
    UseTopic.POSTS,
)


def value(user_id: object, **more: object) -> bytes:
    return orjson.dumps({"user_id": user_id, **more})


def example(user: str) -> Example:
    return Example(
        source="clicks-0",
        offset=3,
        user=user,
        event=Interaction("e", 1, "i", "click", None, "clicks-0", 3),
        history=(Interaction("", 0, "h", "view"),),
        intent=np.array([1.0, 0.0], np.float32),
        user_events=1,
        tested=False,
    )


@pytest.mark.parametrize("topic", BY_APPS)
def test_an_event_is_whose_id_it_names(topic: Topic | UseTopic) -> None:
    assert WHOSE.theirs(topic, value("ann", text="x")) == [{"user_id": "ann", "text": "x"}]
    escaped = b'{"user_id": "\\u00c4nne \\ud83d\\ude00"}'
    assert WHOSE.theirs(topic, escaped) == [{"user_id": "Änne 😀"}]
    for other in (value("anna"), value("ANN"), value(""), value(None), value(["ann"])):
        assert WHOSE.theirs(topic, other) == []


def test_a_merge_is_of_both() -> None:
    merge = value("bob", kind="merge_user", from_user="ann")
    assert len(WHOSE.theirs(Topic.CONTROLS, merge)) == 1


def test_what_was_sent_on_is_found_as_an_event_and_as_word_between_owners() -> None:
    [found] = WHOSE.theirs(Topic.REROUTED, encode_rerouted(Topic.CLICKS, value("ann")))
    assert found == {"topic": "clicks", "value": {"user_id": "ann"}}
    assert WHOSE.theirs(Topic.REROUTED, encode_rerouted(Topic.CLICKS, value("bob"))) == []
    merged = Merged(
        user=BOB,
        guest=GUEST,
        partition=1,
        appended_ms=5,
        whole=True,
        covers={"clicks-0": 1},
        events=(Incoming(Interaction("e", 1, "i", "click"), np.ones(2, np.float32)),),
    )
    [told] = WHOSE.theirs(Topic.REROUTED, encode_merged(merged))
    assert told["message"] == "merged"
    assert told["value"]["events"][0]["event"]["item_id"] == "i"
    assert WHOSE.theirs(Topic.REROUTED, encode_merged(replace(merged, guest="d" * 32))) == []
    [asked] = WHOSE.theirs(
        Topic.REROUTED, encode_forgetting(Forgetting(ANN, "controls-0", 1, 2, guest=True))
    )
    assert asked["message"] == "forgetting"


def test_examples_are_taken_out_of_their_record_one_by_one() -> None:
    record = encode_examples([example(ANN), example(BOB), replace(example(ANN), offset=4)])
    found = WHOSE.theirs(Topic.EXAMPLES, record)
    assert [(one["kind"], one["offset"]) for one in found] == [("example", 3), ("example", 4)]
    assert found[0]["intent"] == [1.0, 0.0]
    orjson.dumps(found)
    [erased] = WHOSE.theirs(Topic.EXAMPLES, encode_erasure(Erasure(ANN, "controls-0", 1, 1)))
    assert (erased["kind"], erased["states"]) == ("erasure", 1)
    assert WHOSE.theirs(Topic.EXAMPLES, encode_examples([example(BOB)])) == []


def test_a_letter_is_whose_pseudonym_it_has_and_not_who_is_spoken_of() -> None:
    letter = {"user": ANN, "reason": "bad_json", "raw": "eA=="}
    assert WHOSE.theirs(Topic.DEAD_LETTERS, orjson.dumps(letter)) == [letter]
    of_bob = {"user": BOB, "detail": f"names {ANN}"}
    assert WHOSE.theirs(Topic.DEAD_LETTERS, orjson.dumps(of_bob)) == []


@given(st.sampled_from([one for one in LOOKED_AT if one is not Topic.EXAMPLES]), st.binary())
def test_any_bytes_are_nobodys_or_json(topic: Topic, raw: bytes) -> None:
    assert WHOSE.theirs(topic, raw) == []
    assert WHOSE.theirs(topic, None) == []


json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.tuples(x, x)
)


@given(json)
def test_what_is_ready_for_json_can_be_written(whatever: Any) -> None:
    assert orjson.loads(orjson.dumps(json_ready(whatever))) == orjson.loads(orjson.dumps(whatever))
