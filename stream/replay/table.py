"""A table that fits: columns as wide as their longest words at least, and below each other as
`name: value` where the screen is too narrow for that. No word is cut and no cell is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

__all__ = ["Rows", "plain", "printable"]

LONGEST_WORD = 24
"""Columns; what is longer, as an id or words without spaces, may go on in the next line."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """An app's words on a terminal: no control characters, which could write anywhere on it."""
    return _CONTROL.sub("�", text)


def plain(text: str) -> str:
    """`printable`, and no markup: what is shown as it is in a cell or a title."""
    return escape(printable(text))


class Rows:
    """heads, cells, title: with rich's markup."""

    def __init__(self, *heads: str, title: str) -> None:
        self._heads = heads
        self._title = title
        self._rows: list[tuple[Sequence[str], str]] = []

    def add_row(self, *cells: str, style: str = "") -> None:
        """As many cells as there are heads. style: of all of them."""
        self._rows.append((cells, style))

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        widths = self._widths(options.max_width)
        yield Text.from_markup(self._title, style="italic")
        yield from self._stacked() if widths is None else [self._table(widths)]

    def _table(self, widths: Sequence[int]) -> Table:
        table = Table()
        for head, width in zip(self._heads, widths, strict=True):
            table.add_column(head, width=width, overflow="fold")
        for cells, style in self._rows:
            table.add_row(*cells, style=style)
        return table

    def _stacked(self) -> Iterator[Text]:
        for cells, style in self._rows:
            for head, cell in zip(self._heads, cells, strict=True):
                name = f"{head}: " if head else ""
                yield Text.from_markup(f"{name}{cell}", style=style, overflow="fold")
            yield Text("")

    def _widths(self, room: int) -> list[int] | None:
        """Of each column; None where not even the longest words fit."""
        lines: list[Sequence[str]] = [self._heads, *(cells for cells, _ in self._rows)]
        cells = zip(*lines, strict=True)
        texts = [[Text.from_markup(cell).plain for cell in column] for column in cells]
        least = [max(map(_longest, column)) for column in texts]
        most = [
            max(max(map(cell_len, column)), low) for column, low in zip(texts, least, strict=True)
        ]
        spare = room - 3 * len(texts) - 1 - sum(least)  # a frame and two blanks a column
        if spare < 0:
            return None
        return [low + more for low, more in zip(least, _shared(spare, least, most), strict=True)]


def _shared(spare: int, least: Sequence[int], most: Sequence[int]) -> list[int]:
    """What each column gets of `spare` beside `least`: who wants little gets it, the others the
    same each.
    """
    wanted = [high - low for low, high in zip(least, most, strict=True)]
    shares = [0] * len(wanted)
    for done, place in enumerate(sorted(range(len(wanted)), key=lambda one: wanted[one])):
        shares[place] = min(wanted[place], spare // (len(wanted) - done))
        spare -= shares[place]
    return shares


def _longest(text: str) -> int:
    """Of its words, in columns of the screen."""
    return min(max(map(cell_len, text.split()), default=0), LONGEST_WORD)
