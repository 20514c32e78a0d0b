"""What is in force follows from what was said, in its order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.broker.encoders import Lineage, Named, Said, Word
from upwell.errors import BrokerError

A, B, C = (Named(name, f"models/{name}") for name in "abc")


def said(word: Word, encoder: Named, before: Named) -> Said:
    return Said(word=word, encoder=encoder, before=before, by="operator", at=1, figures={"n": 2})


def test_nobody_said_anything() -> None:
    assert Lineage() == Lineage.of([])
    assert Lineage().in_force is None
    assert Lineage().known == frozenset()


def test_a_trial_changes_nothing() -> None:
    found = Lineage.of([said(Word.TRIED, B, A)])
    assert (found.in_force, found.earlier, found.known) == (None, (), frozenset())
    assert len(found.said) == 1


def test_promotions_stand_on_each_other_and_roll_backs_take_them_away() -> None:
    words = [
        said(Word.PROMOTED, B, A),
        said(Word.PROMOTED, C, B),
        said(Word.ROLLED_BACK, B, C),
        said(Word.ROLLED_BACK, A, B),
        said(Word.PROMOTED, C, A),
    ]
    stands = [Lineage.of(words[:count]) for count in range(1, 6)]
    assert [one.in_force for one in stands] == [B, C, B, A, C]
    assert [one.earlier for one in stands] == [(A,), (A, B), (A,), (), (A,)]
    assert [one.known for one in stands] == [{"a", "b"}, *4 * [{"a", "b", "c"}]]


@given(st.lists(st.tuples(st.sampled_from([Word.TRIED, Word.PROMOTED]), st.sampled_from("abcde"))))
def test_going_back_as_often_as_it_went_on_ends_where_it_began(
    steps: list[tuple[Word, str]],
) -> None:
    first = Named("first", "first")
    found = Lineage()
    for word, name in steps:
        found = found.after(said(word, Named(name, name), found.in_force or first))
    promoted = sum(word is Word.PROMOTED for word, _ in steps)
    assert len(found.earlier) == promoted
    for _ in range(promoted):
        assert found.in_force is not None
        found = found.after(said(Word.ROLLED_BACK, found.earlier[-1], found.in_force))
    assert found.in_force == (first if promoted else None)
    assert found.earlier == ()


def test_a_record_is_read_as_it_was_written() -> None:
    one = said(Word.TRIED, B, A)
    assert Said.read(one.value()) == one


@pytest.mark.parametrize(
    "value", [None, b"", b"[]", b"{", b'{"v":2}', b'{"v":1,"word":"x"}', b'{"v":1,"word":"tried"}']
)
def test_what_is_no_record_is_a_fault_of_one_line(value: bytes | None) -> None:
    with pytest.raises(BrokerError, match="who else writes"):
        Said.read(value)
