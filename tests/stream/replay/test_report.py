"""What is shown of a list is what the app sent, brackets and all."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from stream.ops.commands.manual import MANUAL
from stream.replay.report import _catalogue, letters_table, list_table, show_report
from upwell.reasons import Sentences
from upwell.recommendations import DeadLetter, Entry, Reason, Recommendations


def shown(recommendations: Recommendations, sentences: Sentences | None = None) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(list_table(recommendations, sentences))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def made(title: str | None, because: str | None, user: str = "ann") -> Recommendations:
    reasons = (Reason(signal="transition_last", weight=1.25, because=because),)
    entry = Entry(item_id="i9", score=1.25, reasons=reasons, title=title)
    return Recommendations(
        list_id="l",
        user_id=user,
        items=(entry,),
        model_version="m1",
        trigger="e",
        covers={},
        ts=1,
        latency_ms=12,
    )


def test_a_list_shows_titles_scores_and_reasons() -> None:
    text = shown(made("Solaris", "Stalker"))
    for part in (
        "user ann",
        "12 ms after e",
        "model m1",
        "Solaris",
        "1.25",
        "transition last +1.25 (because of Stalker)",
    ):
        assert part in text


def test_people_are_told_sentences() -> None:
    text = shown(made("Solaris", "Stalker"), Sentences("de"))
    assert "Folgt oft auf „Stalker“." in text
    assert "transition" not in text


def test_an_item_without_a_title_shows_its_id_and_a_reason_without_a_cause_none() -> None:
    text = shown(made(None, None))
    assert "i9" in text
    assert "because" not in text


def test_brackets_in_peoples_words_are_words() -> None:
    text = shown(made("[rec] (2007)", "[/b] and [red]", user="[bold]"))
    for part in ("[rec] (2007)", "[/b] and [red]", "user [bold]"):
        assert part in text


def test_control_characters_write_nowhere_else_on_the_terminal() -> None:
    for sentences in (None, Sentences()):
        wild = made("a\x1b]0;title\x07b", "c\x1b[2Jd\x9b1m", user="\x1b[31mann")
        text = shown(wild, sentences)
        assert "\x1b" not in text
        assert not {"\x07", "\x9b"} & set(text)
        assert "a�]0;title�b" in text


def test_a_catalogue_whose_vectors_were_kept_is_not_taken_for_one_that_was_encoded() -> None:
    assert _catalogue({"encoded": 9, "from_memory": 1, "from_disk": 0}) == (
        "catalogue, items encoded a second"
    )
    assert _catalogue({"encoded": 1, "from_memory": 0, "from_disk": 9742}) == (
        "catalogue, items a second (9,742 vectors from disk, 1 encoded)"
    )


def demo_report() -> dict[str, Any]:
    slices = {"all": 0.0733, "cold_user": 0.2483, "cold_item": None, "warm": 0.0848}
    targets = {"all": 3_183, "cold_user": 41, "cold_item": 535, "warm": 2_607}
    items = [{"title": "One Flew Over the Cuckoo's Nest (1975)", "score": 2.82, "why": ["Liked."]}]
    return {
        "events_in": 114_261,
        "lists_out": 2_773,
        "dead_letters": 0,
        "bad_lines": 0,
        "duplicates": 0,
        "unknown_fields": {"[colour]": 12_345},
        "events_per_s": 2_311.0,
        "items_per_s": 1_760.0,
        "catalogue_texts": {"from_disk": 9_742, "encoded": 0, "from_memory": 0},
        "freshness_ms": {"p50": 16.0, "p99": 50.0, "lists": 906},
        "targets": targets,
        "ndcg10": slices,
        "hr10": slices,
        "peers": {"popularity_1000": slices, "text_similarity": slices},
        "example": {"user_id": "331", "items": items},
        "private": None,
        "wall_s": 73.0,
    }


@pytest.mark.parametrize("columns", [40, 80])
def test_the_demo_s_report_fits_and_cuts_no_word(columns: int) -> None:
    out = io.StringIO()
    show_report(demo_report(), Console(file=out, width=columns))
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= columns
    words = {word.strip(":") for word in text.replace("│", " ").replace("┃", " ").split()}
    wanted = ("0.0733", "0.2483", "popularity", "similarity", "(3,183)", "HR@10", "114,261")
    assert {*wanted, "Cuckoo's", "[colour]"} <= words
    assert "…" not in text
    assert list(demo_report()) == list(MANUAL["demo"].fields)


@pytest.mark.parametrize("columns", [40, 80])
def test_letters_fit_and_cut_no_word(columns: int) -> None:
    letter = DeadLetter(
        reason="missing_field",
        detail="action is missing: it says what the user did",
        topic="impressions",
        partition=3,
        offset=123_456,
        raw=b"{}",
        ts=1_700_000_000_000,
    )
    out = io.StringIO()
    Console(file=out, width=columns).print(letters_table([letter], replayed=2))
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= columns
    words = {word.strip(":") for word in text.replace("│", " ").split()}
    assert {"impressions-3-123456", "missing_field", "action", "2023-11-14", "22:13:20"} <= words
