"""Effects to records: the order, the keys, the partitions and what stands in each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.ranking.explain import SHARES
from stream.chain.effects import Effects, FreshList, ItemEffects, Rerouted
from stream.chain.publish import (
    MAX_EXAMPLES_BYTES,
    MAX_LIST_BYTES,
    SHORT,
    TRIGGER_APPENDED,
    examples_within,
    item_records,
    list_within,
    user_records,
)
from stream.chain.wire import decode_item
from tests.stream.chain.chain import ENCODER, examples_in
from upwell.codec import parse_dead_letter, parse_recommendations, recommendations_value
from upwell.events import Topic
from upwell.recommendations import DeadLetter, Entry, Reason, Recommendations
from upwell.values import CatalogueItem, Example, Interaction

NOW_MS = 1_800_000_000_000
LETTER = DeadLetter(
    reason="bad_json",
    detail="why",
    topic="clicks",
    partition=1,
    offset=2,
    raw=b"\xff\x00",
    ts=NOW_MS,
)
FRESH = FreshList(
    list_id="l",
    user_id="ann",
    items=(Entry(item_id="i", score=1.5, reasons=(Reason(signal="text", weight=1.5),), title="T"),),
    model_version="m1",
    trigger="e1",
    covers={"clicks-1": 7},
    appended_ms=NOW_MS - 30,
)


def example(source: str, offset: int) -> Example:
    event = Interaction(f"{source}/{offset}", 1, "i", "click", None, source, offset)
    return Example(
        source=source,
        offset=offset,
        user="u",
        event=event,
        history=(),
        intent=None,
        user_events=0,
        tested=False,
    )


def test_all_effects_are_published_in_their_order() -> None:
    effects = Effects(
        dead_letters=(LETTER,),
        rerouted=(Rerouted(b"ann", b"raw", first_ms=5), Rerouted(None, b"told", partition=3)),
        lists=(FRESH,),
        examples=(example("clicks-1", 0),),
    )
    records = list(user_records(effects, NOW_MS))
    assert [record.topic for record in records] == [
        Topic.DEAD_LETTERS,
        Topic.REROUTED,
        Topic.REROUTED,
        Topic.RECOMMENDATIONS,
        Topic.EXAMPLES,
    ]
    assert parse_dead_letter(records[0].value) == LETTER
    assert (records[1].key, records[1].value, records[1].partition) == (b"ann", b"raw", None)
    assert (records[1].headers, records[2].headers) == ((("first-appended-ms", b"5"),), ())
    assert (records[2].key, records[2].value, records[2].partition) == (None, b"told", 3)


def test_a_list_goes_to_its_user_and_says_when_its_trigger_was_appended() -> None:
    [record] = user_records(Effects(lists=(FRESH,)), NOW_MS)
    assert (record.key, record.partition) == (b"ann", None)
    assert record.headers == ((TRIGGER_APPENDED, str(NOW_MS - 30).encode()),)
    assert parse_recommendations(record.value) == Recommendations(
        list_id="l",
        user_id="ann",
        items=FRESH.items,
        model_version="m1",
        trigger="e1",
        covers={"clicks-1": 7},
        ts=NOW_MS,
        latency_ms=30,
    )


def test_a_broker_whose_clock_is_ahead_makes_no_negative_latency() -> None:
    [record] = user_records(Effects(lists=(FRESH,)), NOW_MS - 1_000)
    assert parse_recommendations(record.value).latency_ms == 0


def test_examples_stay_on_the_partition_of_their_source_in_the_order_of_its_offsets() -> None:
    given = [
        example("clicks-1", 5),
        example("reviews-10", 3),
        example("clicks-1", 2),
        example("reviews-10", 9),
        example("clicks-3", 0),
    ]
    records = list(user_records(Effects(examples=tuple(given)), NOW_MS))
    found = {
        record.partition: [(one.source, one.offset) for one in examples_in(record.value)]
        for record in records
    }
    assert found == {
        1: [("clicks-1", 2), ("clicks-1", 5)],
        10: [("reviews-10", 3), ("reviews-10", 9)],
        3: [("clicks-3", 0)],
    }
    assert len(records) == 3


def test_two_topics_of_one_partition_are_two_records() -> None:
    records = list(
        user_records(Effects(examples=(example("clicks-1", 0), example("reviews-1", 0))), NOW_MS)
    )
    assert [record.partition for record in records] == [1, 1]


@pytest.mark.parametrize("letters", [(), (LETTER,)])
def test_an_item_goes_out_under_its_id_after_the_dead_letters(
    letters: tuple[DeadLetter, ...],
) -> None:
    item = CatalogueItem(
        item_id="ü", ts=1, title="T", vector=ENCODER.encode(["T"])[0], revision="r"
    )
    records = list(item_records(ItemEffects(items=(item,), dead_letters=letters)))
    assert [record.topic for record in records] == [Topic.DEAD_LETTERS] * len(letters) + [
        Topic.CATALOGUE
    ]
    assert (records[-1].key, records[-1].partition) == ("ü".encode(), None)
    assert decode_item(records[-1].value).title == "T"


def test_nothing_in_nothing_out() -> None:
    assert list(user_records(Effects(), NOW_MS)) == []
    assert list(item_records(ItemEffects())) == []


BROKER_BYTES = 1 << 20
PRODUCER_BYTES = 16 << 20
SMALL = 4_000
"""More than the largest untested example below."""


def sized(offset: int, had: tuple[str, ...] = (), history: int = 0) -> Example:
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
        sized(offset, ("item-" + "x" * 60,) * size, history) for offset, size in enumerate(sizes)
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
    assert len(list(examples_within([sized(number) for number in range(256)]))) == 1


def test_a_batch_of_users_who_had_ten_thousand_items_is_sent() -> None:
    """A whole batch of the largest states that the defaults allow, ids as long as they may be."""
    had = tuple(f"{number:05}" + "ü" * 251 for number in range(10_000))
    effects = Effects(examples=tuple(sized(offset, had) for offset in range(6)))
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
