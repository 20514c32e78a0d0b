"""What is shown of a list is what the app sent, brackets and all."""

from __future__ import annotations

import io

from rich.console import Console

from stream.replay.report import _catalogue, list_table
from upwell.reasons import Sentences
from upwell.recommendations import Entry, Reason, Recommendations


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
