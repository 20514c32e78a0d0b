"""States and items as points, and back."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import given

from store.codec import decode_item, decode_user, encode_item, encode_user
from tests.store.states import (
    DIMENSION,
    arbitrary_items,
    arbitrary_states,
    item,
    same_item,
    same_state,
    state,
)
from upwell.errors import StoreError
from upwell.values import (
    CatalogueItem,
    Guest,
    Interaction,
    MergedInto,
    Pending,
    Shown,
    Tag,
    UserState,
)


@given(arbitrary_states)
def test_a_state_comes_back(value: UserState) -> None:
    point = encode_user(value, DIMENSION)
    back = decode_user(point.vector.tolist(), point.payload)
    assert same_state(back, value)
    assert back.sequence == value.sequence == point.sequence


@given(arbitrary_items)
def test_an_item_comes_back(value: CatalogueItem) -> None:
    point = encode_item(value, DIMENSION)
    assert same_item(decode_item(point.vector.tolist(), point.payload), value)


def test_a_picture_that_would_not_come_back_is_refused() -> None:
    fine = np.array([1 / 3, 0.5], np.float32)
    with pytest.raises(StoreError, match="half precision"):
        encode_item(replace(item("i"), picture=fine, pictured="m/p/c"), DIMENSION)


def test_an_item_at_which_nobody_looked_is_stored_as_before() -> None:
    assert "pictur" not in str(encode_item(item("i"), DIMENSION).payload)


def test_a_user_who_played_nothing_is_stored_as_before_and_so_is_an_item_of_no_group() -> None:
    plain = state("u", 3)
    assert "completion" not in str(encode_user(plain, DIMENSION).payload)
    played = Interaction("e", 1, "i", "play", None, "clicks-0", 0, 0.25)
    both = replace(plain, history=(*plain.history, played))
    point = encode_user(both, DIMENSION)
    back = decode_user(point.vector, point.payload).history
    assert [one.completion for one in back] == [None] * len(plain.history) + [0.25]
    with pytest.raises(StoreError, match="completion"):
        encode_user(replace(both, history=(replace(played, completion=np.inf),)), DIMENSION)
    assert "group" not in str(encode_item(item("i"), DIMENSION).payload)


def test_no_field_is_left_out() -> None:
    full = UserState(
        user="u",
        intent=np.ones(DIMENSION, np.float32),
        intent_ts=1,
        history=(Interaction("e", 1, "i", "click", 4.5, "clicks-0", 3),),
        had=("i",),
        pending=(Pending("j", 2, -1.0),),
        events=2,
        watermark={"clicks-0": 3},
        merged={"g": Guest(1, {"clicks-1": 5})},
        merged_into=MergedInto("w", 2, whole=True),
        shown=(Shown("s", 4, ("i", "j")), Shown("t", 5, ("j",))),
        tags={"vip": Tag(6, "t", on=True), "näw": Tag(7, "u", on=False)},
    )
    empty = UserState(user="", intent=full.intent)
    for field in dataclasses.fields(UserState):
        if field.name != "intent":
            assert getattr(full, field.name) != getattr(empty, field.name), (
                "a new field: give it a value here and in the codec"
            )
    point = encode_user(full, DIMENSION)
    assert same_state(decode_user(point.vector.tolist(), point.payload), full)


def test_a_state_of_before_there_were_guests_impressions_and_segments_still_loads() -> None:
    written = state("u", 3)
    point = encode_user(written, DIMENSION)
    packed = orjson.loads(str(point.payload["state"]))
    del packed["merged"], packed["merged_into"], packed["shown"], packed["tags"]
    older = {**point.payload, "state": orjson.dumps(packed).decode()}
    assert same_state(decode_user(point.vector.tolist(), older), written)


def test_the_fields_that_a_backend_sees() -> None:
    assert set(encode_user(state("u", 3), DIMENSION).payload) == {"user", "sequence", "state"}
    assert set(encode_item(item("i", 7), DIMENSION).payload) == {"item_id", "sequence", "item"}


def test_kinds_are_written_once_and_shared() -> None:
    history = tuple(Interaction(str(number), number, "i", "purchase") for number in range(50))
    point = encode_user(dataclasses.replace(state("u", 1), history=history), DIMENSION)
    assert str(point.payload["state"]).count("purchase") == 1
    back = decode_user(point.vector.tolist(), point.payload)
    assert len({id(event.kind) for event in back.history}) == 1


@pytest.mark.parametrize("packed", [None, "{}", '{"format":2}', 7])
def test_a_point_of_another_format_is_refused(packed: object) -> None:
    with pytest.raises(StoreError, match="'u' was not written by this version"):
        decode_user([0.0] * DIMENSION, {"user": "u", "state": packed})
    with pytest.raises(StoreError, match="'i' was not written by this version"):
        decode_item([0.0] * DIMENSION, {"item_id": "i", "sequence": 0, "item": packed})


def test_a_damaged_history_is_refused() -> None:
    point = encode_user(state("u", 1), DIMENSION)
    packed = orjson.loads(str(point.payload["state"]))
    packed["history"]["ts"].pop()
    with pytest.raises(StoreError, match="damaged"):
        decode_user([0.0] * DIMENSION, {**point.payload, "state": orjson.dumps(packed).decode()})
