"""The shipped tables are whole, and an app's file over them is checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from learner.ranking.explain import OTHER, SHARES
from upwell.errors import SettingsError
from upwell.reasons import Sentences
from upwell.reasons.tables import SHIPPED, Saying, load_table
from upwell.recommendations import Entry, Reason

NAMES = {*SHARES, OTHER, "explored", "nothing", "shared_value"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "reasons.toml"


@pytest.mark.parametrize("language", SHIPPED)
def test_a_shipped_table_has_each_signal_that_lists_name_and_no_other(language: str) -> None:
    table = load_table(language)
    assert table.keys() == NAMES
    for signal, saying in table.items():
        assert ("{because}" in saying.because) == ("{because}" in load_table("en")[signal].because)


def test_no_language_repeats_another_s_sentence() -> None:
    said = [{one.say for one in load_table(language).values()} for language in SHIPPED]
    assert not said[0] & said[1]


def test_a_file_changes_what_it_names_and_nothing_else(file: Path) -> None:
    file.write_text(
        '[en]\nboost = "Our editors\' choice."\n'
        '[en.covisitation]\nsay = "Readers like you."\nbecause = "You read {because}."\n'
    )
    table, shipped = load_table("en", file), load_table("en")
    changed = {name for name in NAMES if table[name] != shipped[name]}
    assert changed == {"boost", "covisitation"}
    assert table["boost"] == Saying("Our editors' choice.", "Our editors' choice.")
    reason = Reason(signal="covisitation", weight=1.0, because="Heat")
    assert Sentences("en", file).of(Entry(item_id="i", score=1.0, reasons=(reason,))) == (
        "You read Heat.",
    )
    assert load_table("de", file) == load_table("de")


def test_a_language_of_one_s_own_is_whole(file: Path) -> None:
    file.write_text("[fr]\n" + "".join(f'{name} = "{name} !"\n' for name in sorted(NAMES)))
    assert load_table("fr", file)["boost"].say == "boost !"
    assert load_table("fr-CA", file) == load_table("fr", file)
    file.write_text('[fr]\nboost = "la maison recommande"\n')
    with pytest.raises(SettingsError, match=r"reasons\.toml, \[fr\]: nothing is said of affinity"):
        load_table("fr", file)


def test_a_language_that_nobody_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SettingsError, match="'fr': UPWELL_LANGUAGE is one of de, en, or"):
        load_table("fr")
    assert load_table("de-AT") == load_table("de")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[en", "is no TOML"),
        ('en = "x"', "must be a table"),
        ('[en]\ncovisitations = "x"', "did you mean covisitation"),
        ("[en]\nboost = 3", "must be a sentence"),
        ('[en]\nboost = " "', "must be a sentence"),
        ('[en.boost]\nbecause = "x {because}"', "must be a sentence"),
        ('[en.boost]\nsay = "x"\nsaid = "y"', "must be a sentence"),
        ('[en]\nboost = "because of {because}"', "stands in `because`"),
        ('[en.boost]\nsay = "x"\nbecause = "y"', "stands in `because`"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(file: Path, text: str, told: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError, match=f"reasons.toml.*{told}"):
        load_table("en", file)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_table("en", tmp_path / "none.toml")
    (tmp_path / "latin").write_bytes("[de]\nboost = 'schön'\n".encode("latin-1"))
    with pytest.raises(SettingsError, match="cannot be read"):
        load_table("de", tmp_path / "latin")


def test_the_page_s_example_is_right(file: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reasons.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    file.write_text(example)
    assert load_table("en", file)["covisitation"].because.startswith("Readers who liked")
    [program] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(program, {})  # noqa: S102 (our own page)
