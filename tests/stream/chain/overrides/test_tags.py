"""Segments of a user: the later word counts in whatever order, and forgetting forgets them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stream.chain.overrides.tags import MOST_TAGS, segments_of
from stream.chain.records import Record
from stream.chain.wire import encode_examples
from tests.stream.chain.chain import NOW_MS, Chain, examples_in, record
from upwell.events import Topic

words = st.lists(
    st.tuples(st.sampled_from(["vip", "näw"]), st.integers(0, 5), st.booleans()), max_size=8
)


def tag(offset: int, segment: str, on: bool = True, user: str = "ann", **more: Any) -> Record:
    kind = "tag_user" if on else "untag_user"
    value = {"kind": kind, "user_id": user, "segment": segment, "by": "op", "why": "w", **more}
    return record(Topic.CONTROLS, offset, value)


def segments(chain: Chain, user: str = "ann") -> set[str]:
    state = chain.state(user)
    return set() if state is None else set(segments_of(state))


@given(words, st.integers(1, 4))
def test_of_two_words_on_one_segment_the_later_counts_also_where_they_come_again(
    said: list[tuple[str, int, bool]], size: int
) -> None:
    chain = Chain()
    records = [
        tag(offset, name, on, ts=NOW_MS - 100 + ts, event_id=f"e{offset:03}")
        for offset, (name, ts, on) in enumerate(said)
    ]
    for start in range(0, len(records), size):
        batch = records[start : start + size]
        chain.pipeline.run(batch, NOW_MS)
        chain.pipeline.run(batch, NOW_MS)
    last: dict[str, tuple[int, int, bool]] = {}
    for offset, (name, ts, on) in enumerate(said):
        last[name] = max(last.get(name, (-1, -1, False)), (ts, offset, on))
    assert segments(chain) == {name for name, (_, _, on) in last.items() if on}


def test_who_is_forgotten_is_in_no_segment_any_more() -> None:
    chain = Chain()
    chain.pipeline.run([tag(0, "vip"), tag(1, "vip", user="bob")], NOW_MS)
    forget = {"kind": "forget_user", "user_id": "ann", "by": "ann", "why": "w"}
    chain.pipeline.run([record(Topic.CONTROLS, 2, forget, appended_ms=NOW_MS)], NOW_MS)
    late = tag(3, "late")
    chain.pipeline.run([late], NOW_MS)
    assert (segments(chain), segments(chain, "bob")) == (set(), {"vip"})


def test_a_user_is_in_so_many_at_most() -> None:
    chain = Chain()
    some = [tag(one, f"s{one}", event_id=f"e{one:04}") for one in range(MOST_TAGS + 5)]
    chain.pipeline.run(some, NOW_MS)
    assert len(segments(chain)) == MOST_TAGS
    assert "s0" not in segments(chain)
    assert f"s{MOST_TAGS + 4}" in segments(chain)


def test_a_word_that_came_on_another_partition_is_sent_on_to_the_users_own() -> None:
    chain = Chain()
    own = tag(0, "vip")
    stray = Record(own.topic, (own.partition + 1) % 4, 0, own.value, own.appended_ms)
    effects = chain.pipeline.run([stray], NOW_MS)
    [on] = effects.rerouted
    assert segments(chain) == set()
    chain.pipeline.run([Record(Topic.REROUTED, own.partition, 0, on.value, NOW_MS)], NOW_MS)
    assert segments(chain) == {"vip"}


def test_examples_tell_of_named_segments_alone_from_the_word_on_until_it_is_taken_back() -> None:
    """In the record on `examples`; who is forgotten is in none."""
    chain = Chain(told=("vip", "new"))
    told: list[tuple[str, ...]] = []

    def clicked(offset: int) -> None:
        click = {"user_id": "ann", "item_id": "i1", "action": "click", "ts": NOW_MS - 50 + offset}
        effects = chain.pipeline.run([record(Topic.CLICKS, offset, click)], NOW_MS)
        [found] = examples_in(encode_examples(effects.examples))
        told.append(found.segments)

    clicked(0)
    chain.pipeline.run([tag(0, "vip", ts=NOW_MS - 9), tag(1, "secret", ts=NOW_MS - 9)], NOW_MS)
    clicked(1)
    chain.pipeline.run(
        [tag(2, "new", ts=NOW_MS - 8), tag(3, "vip", on=False, ts=NOW_MS - 8)], NOW_MS
    )
    clicked(2)
    forget = {"kind": "forget_user", "user_id": "ann", "by": "ann", "why": "w"}
    chain.pipeline.run([record(Topic.CONTROLS, 4, forget, appended_ms=NOW_MS)], NOW_MS)
    click = {"user_id": "ann", "item_id": "i1", "action": "click", "ts": NOW_MS + 1}
    late = record(Topic.CLICKS, 3, click, appended_ms=NOW_MS + 1)
    [again] = chain.pipeline.run([late], NOW_MS + 1).examples
    assert told == [(), ("vip",), ("new",)]
    assert again.segments == ()
