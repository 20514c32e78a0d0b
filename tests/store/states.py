"""Users' states and items for tests: plain ones, arbitrary ones, and what it means that two are the
same.
"""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from upwell.values import (
    CatalogueItem,
    Guest,
    Interaction,
    MergedInto,
    Pending,
    Shown,
    Tag,
    UserState,
    Vector,
)

__all__ = [
    "DIMENSION",
    "arbitrary_items",
    "arbitrary_states",
    "item",
    "same_item",
    "same_state",
    "state",
]

DIMENSION = 4

text = st.text(st.characters(codec="utf-8"), max_size=12)
ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
int64 = st.integers(-(2**63), 2**63 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
vectors = hnp.arrays(
    np.float32, DIMENSION, elements=st.floats(width=32, allow_nan=False, allow_infinity=False)
)

interactions = st.builds(
    Interaction,
    event_id=text,
    ts=int64,
    item_id=st.none() | text,
    kind=text,
    rating=st.none() | finite,
    source=text,
    offset=int64,
    completion=st.none() | finite,
)
arbitrary_states = st.builds(
    UserState,
    user=ids,
    intent=vectors,
    intent_ts=int64,
    history=st.lists(interactions, max_size=6).map(tuple),
    had=st.lists(text, max_size=6).map(tuple),
    pending=st.lists(st.builds(Pending, item_id=text, ts=int64, weight=finite), max_size=3).map(
        tuple
    ),
    events=int64,
    watermark=st.dictionaries(text, st.integers(-1, 2**50), max_size=4),
    merged=st.dictionaries(
        text, st.builds(Guest, int64, st.dictionaries(text, int64, max_size=3)), max_size=2
    ),
    merged_into=st.none() | st.builds(MergedInto, text, int64, st.booleans()),
    shown=st.lists(st.builds(Shown, text, int64, st.lists(text, max_size=3).map(tuple))).map(tuple),
    tags=st.dictionaries(text, st.builds(Tag, int64, text, st.booleans()), max_size=3),
)
plain_items = st.builds(
    CatalogueItem,
    item_id=ids,
    ts=int64,
    title=text,
    vector=vectors,
    revision=text,
    text=st.none() | text,
    categories=st.lists(text, max_size=3).map(tuple),
    relations=st.lists(st.tuples(text, st.lists(text).map(tuple)), max_size=3).map(tuple),
    brand=st.none() | text,
    price=st.none() | finite,
    image=st.none() | text,
    language=st.none() | text,
    deleted=st.booleans(),
    banned=st.booleans(),
    pinned=st.booleans(),
    boost=finite,
    sequence=st.integers(0, 2**53 - 1),
    triples=st.lists(st.tuples(text, st.lists(text).map(tuple)), max_size=2).map(tuple),
    values=st.lists(st.tuples(text, st.lists(text).map(tuple)), max_size=2).map(tuple),
    waiting=st.booleans(),
    group=st.none() | text.filter(bool),
)
pictures = hnp.arrays(np.float16, 3, elements=st.floats(-1, 1, width=16)).map(
    lambda one: one.astype(np.float32)
)
arbitrary_items = plain_items | st.builds(
    replace, plain_items, picture=st.none() | pictures, pictured=text.filter(bool)
)


def state(
    user: str, sequence: int, *, intent: Vector | None = None, had: tuple[str, ...] = ()
) -> UserState:
    """A small state of this sequence, which `had` tells from another one of the same sequence."""
    history = (
        Interaction("e1", 1_700_000_000_000, "i1", "click"),
        Interaction("e2", 1_700_000_000_001, None, "query"),
    )
    vector = np.ones(DIMENSION, np.float32) if intent is None else intent
    return UserState(
        user=user,
        intent=vector,
        history=history,
        had=had,
        events=2,
        watermark={"clicks-0": sequence - 1},
    )


def item(
    item_id: str, sequence: int = 0, *, title: str = "t", vector: Vector | None = None
) -> CatalogueItem:
    """A small item of this sequence."""
    unit = np.eye(DIMENSION, dtype=np.float32)[0] if vector is None else vector
    return CatalogueItem(
        item_id=item_id, ts=1, title=title, vector=unit, revision="r", sequence=sequence
    )


def same_state(left: UserState | None, right: UserState | None) -> bool:
    """Equal in every field; dataclass equality cannot compare arrays."""
    return _same(left, right, "intent")


def same_item(left: CatalogueItem | None, right: CatalogueItem | None) -> bool:
    """Equal in every field; dataclass equality cannot compare arrays."""
    if left is None or right is None:
        return left is right
    ours, theirs = left.picture, right.picture
    if ours is None or theirs is None:
        alike = ours is theirs
    else:
        alike = ours.dtype == theirs.dtype and bool(np.array_equal(ours, theirs))
    return alike and _same(replace(left, picture=None), replace(right, picture=None), "vector")


def _same(
    left: UserState | CatalogueItem | None, right: UserState | CatalogueItem | None, vector: str
) -> bool:
    if left is None or right is None:
        return left is right
    a, b = getattr(left, vector), getattr(right, vector)
    others = [field.name for field in dataclasses.fields(left) if field.name != vector]
    return (
        a.dtype == b.dtype == np.float32
        and bool(np.array_equal(a, b))
        and all(getattr(left, name) == getattr(right, name) for name in others)
    )
