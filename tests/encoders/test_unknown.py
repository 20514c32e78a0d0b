"""What a tokenizer does not know is counted, and said once, with what to do."""

from __future__ import annotations

import pytest

from encoders.folder import DEFAULT_MODEL
from encoders.unknown import ALL, ONE_IN, Tokens, UnknownTokens, WatchedTitles

KNOWN = "the quick brown fox jumps over the lazy dog"


@pytest.fixture(scope="module")
def tokens() -> UnknownTokens:
    return UnknownTokens(DEFAULT_MODEL)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("ข้าวผัดกุ้ง", 1),
        ("ሰላም ልጆች", 2),
        ("🍕🍕", 1),
        ("Harry Potter", 0),
        ("مرحبا بالعالم", 0),
        ("\ud800", 0),
        ("", 0),
    ],
)
def test_minilm_takes_a_word_of_some_scripts_for_one_unknown_token(
    tokens: UnknownTokens, text: str, unknown: int
) -> None:
    assert tokens.count([text]).unknown == unknown


def test_counts_of_texts_add_up(tokens: UnknownTokens) -> None:
    assert tokens.count([KNOWN, "ሰላም ልጆች"]) == tokens.count([KNOWN]) + Tokens(2, 2)
    assert tokens.count([]) == Tokens()


@pytest.mark.parametrize(("unknown", "warned"), [(5, False), (6, True)])
def test_above_five_of_a_hundred_the_advice_names_the_setting_and_a_multilingual_model(
    unknown: int, warned: bool
) -> None:
    advice = Tokens(100, unknown).advice
    assert (advice is not None) is warned
    if advice is not None:
        assert "UPWELL_ENCODER" in advice
        assert "multilingual" in advice
        assert "6%" in advice


def test_a_catalogue_that_is_not_read_is_said_once(tokens: UnknownTokens) -> None:
    titles = WatchedTitles(tokens)
    assert titles.add([KNOWN] * 10) is None
    assert titles.add(["ሰላም ልጆች"] * 10) is not None
    assert titles.add(["ሰላም ልጆች"] * 10) is None
    assert titles.seen.unknown == 40


def test_a_few_unknown_words_at_the_beginning_say_nothing_yet(tokens: UnknownTokens) -> None:
    titles = WatchedTitles(tokens)
    assert titles.add(["ሰላም ልጆች"]) is None
    assert titles.add([KNOWN] * 20) is None


def test_of_a_large_catalogue_one_title_in_so_many_is_counted(tokens: UnknownTokens) -> None:
    titles = WatchedTitles(tokens)
    titles.add(["fox"] * ALL)
    titles.add(["fox"] * 100 * ONE_IN)
    assert titles.seen.total == ALL + 100
    for _ in range(10 * ONE_IN):
        titles.add(["fox"])
    assert titles.seen.total == ALL + 110
