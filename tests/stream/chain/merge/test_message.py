"""What owners tell each other comes back as it was, fits a record, and is taken for no event."""

from __future__ import annotations

import dataclasses

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.fold import Incoming
from stream.chain.merge.guest import Forgetting, Merged
from stream.chain.merge.message import (
    MAX_MERGED_BYTES,
    decode_message,
    encode_forgetting,
    encode_merged,
)
from stream.chain.wire import encode_rerouted
from tests.store.states import ids, int64, interactions, text, vectors
from upwell.events import Topic
from upwell.values import Guest, Interaction

covers = st.dictionaries(text, int64, max_size=3)
events = st.builds(Incoming, interactions, st.none() | vectors)
then = st.lists(st.tuples(ids, st.integers(0, 99)), max_size=3).map(tuple)
merges = st.builds(
    Merged,
    user=ids,
    guest=ids,
    partition=st.integers(0, 99),
    appended_ms=int64,
    whole=st.booleans(),
    covers=covers,
    events=st.lists(events, max_size=4).map(tuple),
    rest=st.none() | vectors,
    rest_ts=int64,
    more=int64,
    had=st.lists(text, max_size=4).map(tuple),
    guests=st.dictionaries(ids, st.builds(Guest, st.integers(0, 99), covers), max_size=2),
)
FORGETTING = Forgetting("u", "controls-1", 7, 1_700_000_000_000)


def facts(merged: object) -> object:
    assert isinstance(merged, Merged)
    rest = None if merged.rest is None else merged.rest.tolist()
    told = [
        (one.event, None if one.text_vector is None else one.text_vector.tolist())
        for one in merged.events
    ]
    return dataclasses.replace(merged, rest=None, events=()), rest, told


@given(merges)
def test_a_merge_comes_back_as_it_was(merged: Merged) -> None:
    assert facts(decode_message(encode_merged(merged))) == facts(merged)


@given(st.builds(Forgetting, ids, text, int64, int64, st.booleans(), then=then))
def test_a_forgetting_comes_back_as_it_was(forgetting: Forgetting) -> None:
    assert decode_message(encode_forgetting(forgetting)) == forgetting


@pytest.mark.parametrize(
    "raw",
    [
        None,
        b"",
        encode_rerouted(Topic.CLICKS, b"{}"),
        b"merged\n",
        b"merged\n[]",
        b'merged\n{"v":1}',
        b'forgetting\n{"v":1,"user":"u"}',
        encode_forgetting(FORGETTING).replace(b'"v":1', b'"v":2'),
    ],
)
def test_what_no_worker_of_this_version_wrote_is_no_message(raw: bytes | None) -> None:
    assert decode_message(raw) is None


def test_what_a_broker_would_refuse_goes_without_the_oldest() -> None:
    longest = "x" * 250
    rows = [
        Incoming(Interaction(f"{longest}{n}", n, f"{longest}{n}", "click")) for n in range(10_000)
    ]
    merged = Merged(
        user="u",
        guest="g",
        partition=0,
        appended_ms=1,
        whole=True,
        covers={"clicks-0": 9_999},
        events=tuple(rows),
        had=tuple(f"{longest}{n}" for n in range(10_000)),
        rest=np.ones(3, np.float32),
    )
    record = encode_merged(merged)
    assert len(record) <= MAX_MERGED_BYTES
    kept = decode_message(record)
    assert isinstance(kept, Merged)
    assert kept.events == merged.events[-len(kept.events) :]
    assert (kept.covers, len(kept.events) > 2_000) == (merged.covers, True)
    assert len(orjson.dumps(merged.had)) > 2_000_000
    few = dataclasses.replace(merged, events=merged.events[:9])
    found = decode_message(encode_merged(few))
    assert isinstance(found, Merged)
    assert found.had == merged.had
