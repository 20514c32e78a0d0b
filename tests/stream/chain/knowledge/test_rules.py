"""Rules through the items' chain, onto the topic `rules` and off it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.memory import MemoryStore
from stream.chain.items import ItemPipeline
from stream.chain.knowledge import MOST_RULES, rules_told
from stream.chain.publish import item_records
from stream.chain.records import BroadcastRecord, Record
from stream.chain.wire import decode_rule, encode_rule
from tests.stream.chain.chain import ENCODER, NOW_MS, record
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.knowledge import Rule

T0 = NOW_MS - 1_000


def rule(rule_id: str, offset: int = 0, **more: object) -> Record:
    value = {"kind": "filter", "rule_id": rule_id, "ts": T0, "category": "C", **more}
    return record(Topic.KNOWLEDGE, offset, value)


def pipeline(*held: str) -> ItemPipeline:
    return ItemPipeline(ENCODER, MemoryStore(ENCODER.dimension), rule_ids=lambda: held)


def test_the_last_word_on_each_goes_out_keyed_by_its_id() -> None:
    effects = pipeline().run(
        [
            rule("a", months=[2, 1]),
            rule("b", category=None, relation="season", value="winter", within="Kids"),
            rule("a", category="D"),
            rule("c"),
            rule("c", deleted=True),
        ],
        NOW_MS,
    )
    assert effects.rules == {
        "a": Rule(rule_id="a", category="D"),
        "b": Rule(rule_id="b", relation="season", value="winter", within="Kids"),
        "c": None,
    }
    sent = list(item_records(effects))
    assert [(one.topic, one.key) for one in sent] == [
        (Topic.RULES, name) for name in (b"a", b"b", b"c")
    ]
    told = rules_told(BroadcastRecord(0, 0, one.key, one.value, {}, 0) for one in sent)
    assert told == effects.rules


def test_new_ones_that_are_too_many_are_dead_letters_and_known_ones_still_change() -> None:
    held = [f"r{number}" for number in range(MOST_RULES - 1)]
    full = pipeline(*held).run([rule("x"), rule("y", 5), rule("r0", months=[3])], NOW_MS)
    assert sorted(full.rules) == ["r0", "x"]
    [letter] = full.dead_letters
    assert (letter.reason, letter.topic, letter.offset) == ("knowledge_full", "knowledge", 5)
    room = pipeline(*held, "x").run([rule("r0", deleted=True), rule("y")], NOW_MS)
    assert (room.dead_letters, sorted(room.rules)) == ((), ["r0", "y"])


@given(
    st.builds(
        Rule,
        rule_id=st.text(min_size=1),
        category=st.none() | st.text(),
        relation=st.none() | st.text(),
        value=st.none() | st.text(),
        months=st.lists(st.integers(1, 12)).map(tuple),
        within=st.none() | st.text(),
    )
)
def test_a_rule_comes_back_as_it_went(one: Rule) -> None:
    assert decode_rule(encode_rule(one.rule_id, one)) == (one.rule_id, one)
    assert decode_rule(encode_rule(one.rule_id, None)) == (one.rule_id, None)


@pytest.mark.parametrize("raw", [b"{}", b'{"v": 2}', b"[]", b"{", b"", b"\xff"])
def test_a_record_of_another_program_is_a_fault_that_says_so(raw: bytes) -> None:
    with pytest.raises(BrokerError, match=r"topic rules: .*UPWELL_PREFIX"):
        decode_rule(raw)
