"""Rows as columns, and back."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from store.columns import Columns


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    number: int
    mark: str = "-"


@dataclass(frozen=True, slots=True)
class Checked:
    number: int

    def __post_init__(self) -> None:
        assert self.number > 0


ROWS = (Row("a", 1, "x"), Row("b", 2, "y"), Row("c", 3, "x"))
COLUMNS = Columns(Row, repeated=frozenset({"mark"}))


def test_rows_become_columns() -> None:
    assert COLUMNS.pack(ROWS) == {
        "name": ["a", "b", "c"],
        "number": [1, 2, 3],
        "mark": [["x", "y"], [0, 1, 0]],
    }


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ()])
def test_columns_become_rows(rows: tuple[Row, ...]) -> None:
    back = COLUMNS.unpack(COLUMNS.pack(rows))
    assert back == rows
    assert [hash(row) for row in back] == [hash(row) for row in rows]


def test_a_column_of_later_takes_its_default() -> None:
    assert COLUMNS.unpack({"name": ["a"], "number": [1]}) == (Row("a", 1),)


@pytest.mark.parametrize(
    "columns", [{"name": ["a"]}, {"name": ["a"], "number": []}, {"name": ["a"], "number": [1, 2]}]
)
def test_a_column_that_is_missing_or_short_is_refused(columns: dict[str, list[object]]) -> None:
    with pytest.raises(ValueError, match="number"):
        COLUMNS.unpack(columns)


def test_a_checked_dataclass_is_refused() -> None:
    with pytest.raises(TypeError, match="__post_init__"):
        Columns(Checked)
