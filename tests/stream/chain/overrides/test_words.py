"""When a search is like a query."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.overrides.words import is_like, words_of
from upwell.events import Match

YES = [
    ("red shoes", "Red  SHOES!"),
    ("shoes", "cheap red shoes, size 40"),
    ("ﬁn", "a FIN"),
    ("ＡＢＣ", "abc d"),
    ("straße", "in der STRASSE"),
    ("カメラ", "赤いカメラを買う"),
    ("相机", "数码相机"),
    ("กล้อง", "ซื้อกล้องถ่ายรูป"),
    ("🔥", "🔥"),
]
NO = [("cat", "concatenate"), ("red shoes", "shoes red"), ("red shoes", "red old shoes"), ("a", "")]


@pytest.mark.parametrize(("query", "search"), YES)
def test_by_whole_words_whatever_case_and_width(query: str, search: str) -> None:
    assert is_like(words_of(search), words_of(query), Match.CONTAINS)


@pytest.mark.parametrize(("query", "search"), NO)
def test_not_by_parts_of_words_or_in_another_order(query: str, search: str) -> None:
    assert not is_like(words_of(search), words_of(query), Match.CONTAINS)


def test_equal_is_all_of_it() -> None:
    assert is_like(words_of("Red shoes"), words_of("red SHOES"), Match.EQUALS)
    assert not is_like(words_of("red shoes 40"), words_of("red shoes"), Match.EQUALS)


@given(st.text(min_size=1), st.text(), st.text())
def test_a_text_with_words_is_like_itself_and_contained_between_others(
    query: str, before: str, after: str
) -> None:
    words = words_of(query)
    if words:
        assert is_like(words, words, Match.EQUALS)
        assert is_like((*words_of(before), *words, *words_of(after)), words, Match.CONTAINS)
    else:
        assert not is_like(words_of(before), words, Match.CONTAINS)
