"""Tables of any width: all words are there, each whole."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from stream.replay.table import LONGEST_WORD, Rows, plain

WORD = st.text("abcdefgh", min_size=1, max_size=LONGEST_WORD)
CELL = st.lists(WORD, max_size=8).map(" ".join)
FRAME = str.maketrans("│┃┏┓┗┛┡┩┳┻╇┴┬└┘├┤┼━─", " " * 20)


def printed(table: Rows, columns: int) -> str:
    console = Console(file=io.StringIO(), width=columns)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=5), st.integers(26, 120))
def test_no_word_is_cut_and_none_is_lost(rows: list[tuple[str, str, str]], columns: int) -> None:
    table = Rows("one", "two", "three", title="t")
    for row in rows:
        table.add_row(*row)
    text = printed(table, columns)
    found = text.translate(FRAME).split()
    wanted = [word for row in rows for cell in row for word in cell.split()]
    assert sorted(
        word for word in found if word.strip(":") not in ("one", "two", "three", "t")
    ) == (sorted(wanted))
    assert max(map(len, text.splitlines())) <= columns


def test_where_columns_do_not_fit_cells_stand_below_each_other() -> None:
    table = Rows("", "item", "why", title="A list")
    table.add_row("1", "Solaris", "Because of Stalker")
    wide, narrow = printed(table, 40), printed(table, 20)
    assert "┃" in wide
    lines = [line.rstrip() for line in narrow.splitlines()]
    assert lines == ["A list", "1", "item: Solaris", "why: Because of", "Stalker", ""]


def test_a_word_that_is_too_long_goes_on_in_the_next_line() -> None:
    table = Rows("id", title="")
    table.add_row("x" * 100)
    assert printed(table, 40).count("x") == 100
    assert "…" not in printed(table, 40)


def test_a_table_that_fits_is_no_wider_than_what_stands_in_it() -> None:
    table = Rows("a", "b", title="")
    table.add_row("1", "2")
    assert max(map(len, printed(table, 80).splitlines())) == 9


@pytest.mark.parametrize("columns", [20, 80])
def test_markup_of_apps_is_words(columns: int) -> None:
    table = Rows("a", title=plain("[red]t"))
    table.add_row(plain("[/b] \x1b[31m"))
    text = printed(table, columns)
    assert "[red]t" in text
    assert "[/b]" in text
    assert "\x1b" not in text
