"""Questions as people write them."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bench.uses.written_streams import (
    TRANSLATED,
    as_tagged,
    in_languages,
    nearness,
    with_slips,
)

OF_BANKING77 = {
    "activate_my_card",
    "age_limit",
    "apple_pay_or_google_pay",
    "cancel_transfer",
    "card_arrival",
    "card_swallowed",
    "change_pin",
    "edit_personal_details",
    "exchange_rate",
    "lost_or_stolen_card",
    "passcode_forgotten",
    "pin_blocked",
    "request_refund",
    "terminate_account",
    "top_up_failed",
    "transaction_charged_twice",
}
ROWS = [(f"where is parcel number{number}", f"t{number % 4}") for number in range(200)]


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_the_hand_written_questions_are_five_of_each_template_and_none_twice() -> None:
    with TRANSLATED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counts = Counter((row["language"], row["template"]) for row in rows)
    assert set(counts) == {(one, of) for one in ("German", "Spanish") for of in OF_BANKING77}
    assert set(counts.values()) == {5}
    assert len({row["text"].casefold() for row in rows}) == len(rows)
    assert all(row["text"] == row["text"].strip() != "" for row in rows)


def test_slips_begin_where_they_are_to_and_are_one_or_two_in_turn() -> None:
    made = with_slips(ROWS, 1.0, 0.5, rng())
    assert [one.text for one in made[:100]] == [text for text, _ in ROWS[:100]]
    assert {one.tags[0] for one in made[:100]} == {"no slip"}
    assert [one.tags[0] for one in made[100:]] == ["one slip", "two slips"] * 50
    assert all(one.text != text for one, (text, _) in zip(made[100:], ROWS[100:], strict=True))
    assert with_slips(ROWS, 0.0, 0.0, rng())[7].text == ROWS[7][0]


def test_a_share_has_slips() -> None:
    made = with_slips(ROWS, 0.3, 0.0, rng())
    assert 40 <= sum(one.tags[0] != "no slip" for one in made) <= 80


def test_words_are_as_alike_as_those_of_the_most_alike_question_before() -> None:
    before = [{"where", "card"}, {"my", "new", "card"}]
    assert nearness({"my", "new", "phone"}, before) == "words alike"
    assert nearness({"my", "old", "card", "gone"}, before) == "words half alike"
    assert nearness({"hello"}, before) == "other words"
    assert nearness({"hello"}, None) == "other words"
    made = with_slips([("a b", "t"), ("a b", "u"), ("b a", "t")], 0.0, 0.0, rng())
    assert [one.tags[1] for one in made] == ["other words", "other words", "words alike"]


def test_bitext_tags_are_read(tmp_path: Path) -> None:
    path = tmp_path / "bitext.csv"
    path.write_text("instruction,intent,tags\nu ther?,ask,BLQZ\nis it,ask,BL\n", encoding="utf-8")
    made = as_tagged(path, lambda rows: np.arange(rows)[::-1])
    assert [(one.text, one.template, one.tags) for one in made] == [
        ("is it", "ask", ()),
        ("u ther?", "ask", ("typos", "colloquial")),
    ]


def questions_of(path: Path, count: int) -> None:
    lines = [f"German,t{number % 2},Frage {number}" for number in range(count)]
    path.write_text("\n".join(["language,template,text", *lines]), encoding="utf-8")


@pytest.mark.parametrize("choices", [True, False])
def test_other_languages_come_in_the_second_half(tmp_path: Path, choices: bool) -> None:
    path = tmp_path / "other.csv"
    questions_of(path, 10)
    made = in_languages(ROWS, path, choices, rng())
    assert [(one.text, one.template) for one in made if one.tags[0] == "English"] == ROWS
    assert {one.tags[0] for one in made[: len(made) // 2]} == {"English"}
    others = [one for one in made if one.tags[0] == "German"]
    assert sorted(one.text for one in others) == [f"Frage {number}" for number in range(10)]
    assert {one.chosen for one in others} == {choices}
    counted = Counter(one.tags[2] for one in others if choices)
    assert counted == (
        {f"after {number} in its language": 2 for number in range(5)} if choices else {}
    )


def test_a_template_without_questions_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("language,template,text\nGerman,nothing,Frage\n", encoding="utf-8")
    with pytest.raises(ValueError, match="nothing"):
        in_languages(ROWS, path, True, rng())
