"""Plain text keeps its places; readings of a word are few."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.chain.policy.spelling import joined, plain, readings, words


@given(st.text())
def test_every_letter_of_plain_text_has_its_place(text: str) -> None:
    shown = plain(text)
    if shown.at is not None:
        assert len(shown.at) == len(shown.text)
        assert list(shown.at) == sorted(shown.at)
    for word in words(shown.text):
        start, end = shown.span(word.start, word.end)
        assert word.text in plain(text[start:end]).text


@given(st.text(max_size=200))
def test_a_word_is_read_as_itself_and_in_few_ways(word: str) -> None:
    assert word in readings(word)
    assert len(readings(word)) <= 64


def test_marks_of_other_scripts_are_letters() -> None:
    assert plain("की").text == "की"


def test_signs_are_letters_where_they_are_fewer() -> None:
    assert "shit" in readings("sh1t")
    assert readings("a55") == {"a55"}
    assert readings("1984") == {"1984"}


def test_single_letters_a_little_apart_are_a_word() -> None:
    text = "i d.a.r.n it x y — — z a b"
    runs = [letters for letters, _ in joined(text, words(text))]
    assert runs == ["idarn", "zab"]
