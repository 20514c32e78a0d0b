"""What was counted, as columns and back: the same events on a process whose rows are others, each
once, and none where some are missing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.block import Block, Targets, block_of, starts_of
from learner.counts.counts import COUNTED
from learner.counts.dense import empty_dense
from learner.counts.events import Past
from learner.ranking.parameters import prefixed
from learner.release.delta import ModelDelta, decode, encode
from learner.release.journal import Journal, replay
from upwell.errors import ModelError
from upwell.values import Example, Interaction

IDS = [f"i{number}" for number in range(20)]
SOURCES = ("clicks-0", "clicks-1")
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(SOURCES),
        st.integers(0, 19),
        st.lists(st.tuples(st.integers(0, 19), st.booleans()), max_size=14),
        st.booleans(),
    ),
    max_size=12,
)
Event = tuple[str, int, list[tuple[int, bool]], bool]
Read = tuple[str, list[tuple[str, bool]], bool, int, bool, float]


def offsets(events: list[Event]) -> list[int]:
    """Each source counts its own."""
    return [
        sum(other[0] == one[0] for other in events[:number]) for number, one in enumerate(events)
    ]


def counted(events: list[Event], first: int = 0) -> tuple[list[Example], Block, Targets]:
    """A block as it was counted."""
    examples = [
        Example(
            source=source,
            offset=first + offset,
            user="u",
            event=Interaction("e", 0, IDS[row], "like"),
            history=(),
            intent=None,
            user_events=0,
            tested=False,
        )
        for (source, row, *_), offset in zip(events, offsets(events), strict=True)
    ]
    pasts = [past for _, _, past, _ in events]
    past = Past(
        np.array([row for one in pasts for row, _ in one], np.int32),
        np.array([liked for one in pasts for _, liked in one], np.bool_),
        starts_of([len(one) for one in pasts]),
        np.ones(sum(map(len, pasts)), np.int32),
    )
    numbers = np.arange(len(events))
    flags = np.array([liked for *_, liked in events], np.bool_)
    targets = Targets(
        np.array([row for _, row, *_ in events], np.int32),
        flags,
        ~flags,
        (numbers % 3).astype(np.int8),
        numbers % 2 == 0,
        ((1 + numbers) / 16).astype(np.float32),
        (numbers % 3).astype(np.int8),
    )
    block = block_of(
        *(past, [()] * len(events), [0] * len(events), np.full(len(events), -1)),
        *(empty_dense(), np.zeros((1, 1), np.bool_)),
    )
    return examples, block, targets


def named(block: Block, targets: Targets, ids: list[str], most: int = 99) -> list[Read]:
    """The events by the ids of their items; of histories the newest `most`."""
    return [
        (
            ids[targets.rows[number]],
            [
                (ids[block.history[place]], bool(block.liked[place]))
                for place in range(*block.starts[number : number + 2])
            ][:most],
            bool(targets.liked[number]),
            int(targets.met[number]),
            bool(targets.newcomer[number]),
            float(targets.weight[number]),
        )
        for number in range(len(targets.rows))
    ]


def delta_of(journal: Journal) -> ModelDelta:
    """As it travels."""
    columns, items, sources = journal.columns()
    made = ModelDelta(
        version="1-x",
        learned=1,
        since=journal.since,
        watermark={},
        sources=sources,
        items=items,
        arrays=prefixed("examples.", columns),
    )
    return decode(encode(made))


def replayed(delta: ModelDelta, watermark: Mapping[str, int]) -> tuple[list[Read], list[str]]:
    """By a process that numbers items as it meets them; and those it met."""
    known: list[str] = ["an item of its own"]

    def ensure(item_id: str) -> int:
        if item_id not in known:
            known.append(item_id)
        return known.index(item_id)

    block, targets = replay(delta, ensure, watermark)
    assert not targets.tested.any()
    return named(block, targets, known), known[1:]


@given(EVENTS, EVENTS)
def test_what_was_counted_comes_back_with_what_counting_reads_of_histories(
    first: list[Event], second: list[Event]
) -> None:
    journal, expected = Journal({}), list[Read]()
    for events, start in ((first, 0), (second, 100)):
        examples, block, targets = counted(events, start)
        journal.add(examples, block, targets, IDS)
        expected += named(block, targets, IDS, COUNTED)
    assert replayed(delta_of(journal), {})[0] == expected


@given(EVENTS, st.dictionaries(st.sampled_from(SOURCES), st.integers(-1, 6)))
def test_what_a_process_has_counted_it_does_not_count_again_nor_know_the_items_of(
    events: list[Event], watermark: dict[str, int]
) -> None:
    journal = Journal({})
    journal.add(*counted(events), IDS)
    fresh = [
        number
        for number, (one, offset) in enumerate(zip(events, offsets(events), strict=True))
        if offset > watermark.get(one[0], -1)
    ]
    whole = named(*counted(events)[1:], IDS, COUNTED)
    found, met = replayed(delta_of(journal), watermark)
    assert found == [whole[number] for number in fresh]
    read = {item for item, past, *_ in found for item in (item, *(name for name, _ in past))}
    assert set(met) == read


@given(st.dictionaries(st.sampled_from(SOURCES), st.integers(0, 5), min_size=1), st.data())
def test_a_delta_before_it_that_is_missing_is_said(
    since: dict[str, int], data: st.DataObject
) -> None:
    delta = delta_of(Journal(since))
    assert replayed(delta, since) == ([], [])
    source = data.draw(st.sampled_from(sorted(since)))
    behind = since | {source: since[source] - 1}
    with pytest.raises(ModelError, match=rf"after offset {since[source]} of {source}"):
        replayed(delta, behind)


def test_the_watermark_it_began_at_is_its_own() -> None:
    watermark = {"clicks-0": 3}
    journal = Journal(watermark)
    watermark["clicks-0"] = 9
    journal.since["clicks-0"] = 7
    assert journal.since == {"clicks-0": 3}
