"""What a tokenizer does not know is counted, and said once, with what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE, Model, Unigram, WordLevel

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


@pytest.mark.parametrize(
    ("model", "unknown"),
    [
        (Unigram([("▁", -1.0), ("a", -2.0), ("<unk>", 0.0)], unk_id=2), 1),
        (BPE({"a": 0, "<unk>": 1}, [], unk_token="<unk>"), 1),
        (BPE({"a": 0}, []), 0),
        (WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>"), 1),
    ],
)
def test_any_kind_of_tokenizer_says_what_it_does_not_know(
    tiny: Path, model: Model, unknown: int
) -> None:
    Tokenizer(model).save(str(tiny / "tokenizer.json"))
    made = UnknownTokens(str(tiny))
    assert made.count(["a"]).unknown == 0
    assert made.count(["é"]).unknown == unknown


def test_without_the_tokenizers_file_it_is_made_by_transformers(tiny: Path) -> None:
    (tiny / "tokenizer.json").unlink()
    assert UnknownTokens(str(tiny)).count([f"{KNOWN} ሰላም ልጆች"]) == Tokens(11, 2)


def test_it_needs_no_torch() -> None:
    code = (
        "import sys; from encoders.unknown import UnknownTokens; "
        f"UnknownTokens({DEFAULT_MODEL!r}); "
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


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
