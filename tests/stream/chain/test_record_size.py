"""Records stay under what a broker takes, and all examples come through in their order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.ranking.explain import SHARES
from stream.chain.effects import Effects, FreshList
from stream.chain.publish import user_records
from stream.chain.record_size import (
    MAX_EXAMPLES_BYTES,
    MAX_LIST_BYTES,
    SHORT,
    examples_within,
    list_within,
)
from tests.stream.chain.chain import examples_in
from upwell.codec import parse_recommendations, recommendations_value
from upwell.events import Topic
from upwell.recommendations import Entry, Reason, Recommendations
from upwell.values import Example, Interaction

BROKER_BYTES = 1 << 20
PRODUCER_BYTES = 16 << 20
SMALL = 4_000
"""More than the largest untested example below."""


def example(offset: int, had: tuple[str, ...] = (), history: int = 0) -> Example:
    entry = Interaction(
        f"e{offset}", 1_700_000_000_000, "i" * 20, "click", None, "clicks-1", offset
    )
    return Example(
        source="clicks-1",
        offset=offset,
        user="u" * 32,
        event=entry,
        history=(entry,) * history,
        intent=np.ones(8, dtype=np.float32),
        user_events=offset,
        tested=bool(had),
        had=had,
    )


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40), st.integers(0, 8))
def test_all_come_through_in_order_and_no_record_is_above_the_cap(
    sizes: list[int], history: int
) -> None:
    sent = [
        example(offset, ("item-" + "x" * 60,) * size, history) for offset, size in enumerate(sizes)
    ]
    records = list(examples_within(sent, SMALL))
    assert max(map(len, records)) <= SMALL
    found = [one for record in records for one in examples_in(record)]
    assert [one.offset for one in found] == [one.offset for one in sent]
    for one, other in zip(sent, found, strict=True):
        fits = len(next(examples_within([one], 1 << 30))) <= SMALL
        assert (other.tested, other.had) == ((one.tested, one.had) if fits else (False, ()))
        assert (other.user, other.user_events, other.event.item_id, len(other.history)) == (
            one.user,
            one.user_events,
            "i" * 20,
            history,
        )


def test_what_fits_is_one_record() -> None:
    assert len(list(examples_within([example(number) for number in range(256)]))) == 1


def test_a_batch_of_users_who_had_ten_thousand_items_is_sent() -> None:
    """A whole batch of the largest states that the defaults allow, ids as long as they may be."""
    had = tuple(f"{number:05}" + "ü" * 251 for number in range(10_000))
    effects = Effects(examples=tuple(example(offset, had) for offset in range(6)))
    records = [record for record in user_records(effects, 0) if record.topic is Topic.EXAMPLES]
    assert all(
        len(record.value) <= MAX_EXAMPLES_BYTES < PRODUCER_BYTES and record.partition == 1
        for record in records
    )
    found = [one for record in records for one in examples_in(record.value)]
    assert [(one.offset, one.tested, len(one.had)) for one in found] == [
        (offset, True, 10_000) for offset in range(6)
    ]


def test_the_largest_list_that_an_app_can_bring_about_is_taken_by_a_broker() -> None:
    """100 entries with every signal; titles, ids and words as long as the schema lets them be, of
    what JSON writes longest.
    """
    title, words, long_id = "\x01" * 1_000, "\x02" * 20_000, "𝕏" * 256
    reasons = tuple(
        Reason(signal=signal, weight=-1.2345678901234567e-100, because=words)
        for signal in SHARES[:8]
    )
    entry = Entry(item_id=long_id, score=1.2345678901234567e-100, reasons=reasons, title=title)
    fresh = FreshList(
        list_id="l" * 32,
        user_id=long_id,
        items=(entry,) * 100,
        model_version="v" * 40,
        trigger=long_id,
        covers={f"reviews-{number}": 2**53 for number in range(1_000)},
        appended_ms=0,
    )
    [record] = user_records(Effects(lists=(fresh,)), 0)
    assert len(record.value) <= MAX_LIST_BYTES < BROKER_BYTES
    found = parse_recommendations(record.value)
    assert [one.item_id for one in found.items] == [long_id] * 100
    assert {len(one.title or "") for one in found.items} == {SHORT}


def test_a_usual_list_is_left_as_it_is() -> None:
    entry = Entry(
        item_id="i",
        score=1.0,
        reasons=(Reason(signal="intent", weight=1.0, because="w" * 2_000),),
        title="T" * 500,
    )
    whole = Recommendations(
        list_id="l",
        user_id="u",
        items=(entry,) * 10,
        model_version="v",
        trigger="t",
        covers={},
        ts=1,
        latency_ms=1,
    )
    assert list_within(whole) == recommendations_value(whole)
    [short] = parse_recommendations(list_within(replace(whole, items=(entry,)), limit=100)).items
    assert short.title == "T" * (SHORT - 1) + "…"
