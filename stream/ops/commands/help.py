"""Help as plain text for any width: every word whole, no boxes, no colours, and one example at the
end.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from stream.ops.commands.manual import MANUAL

__all__ = ["Command", "Group", "add", "new_app", "options_of"]

MOST_COLUMNS = 88
SIDE_BY_SIDE = 60
"""Columns from which a name and what it means share a line."""
NAME_COLUMNS = 30


class _Plain:
    """What commands and groups have in common: their page in place of typer's."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write("\n".join(_page(self, ctx, _columns())) + "\n")

    def get_usage(self, ctx: Any) -> str:
        return "\n".join(_usage(self, ctx, _columns()))


class Command(_Plain, TyperCommand):
    """A command with such help."""


class Group(_Plain, TyperGroup):
    """A group of commands with such help."""


def new_app(path: str, does: str, completion: bool = False) -> typer.Typer:
    """A group. path: as it is typed after `upwell`."""
    return typer.Typer(
        cls=Group,
        no_args_is_help=True,
        add_completion=completion,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=does,
        epilog=MANUAL[path].example,
    )


def add(app: typer.Typer, path: str, function: Callable[..., Any]) -> None:
    """The command that is typed as `path` after `upwell`; its example is the manual's."""
    name = path.rpartition(" ")[2]
    app.command(name, cls=Command, epilog=MANUAL[path].example)(function)


def options_of(command: Any, ctx: Any) -> Iterator[tuple[str, str, str]]:
    """kind (`argument` or `option`), name and type, what it is; in their order."""
    for param in command.get_params(ctx):
        row = param.get_help_record(ctx)
        if row is not None:
            yield param.param_type_name, row[0], " ".join(row[1].split())


def _page(command: Any, ctx: Any, columns: int) -> Iterator[str]:
    yield from _usage(command, ctx, columns)
    for paragraph in (command.help or "").split("\n\n"):
        yield ""
        yield from _wrapped(" ".join(paragraph.split()), columns)
    rows = list(options_of(command, ctx))
    for kind, title in (("argument", "Arguments"), ("option", "Options")):
        yield from _rows(title, [row[1:] for row in rows if row[0] == kind], columns)
    if isinstance(command, TyperGroup):
        yield from _rows("Commands", list(_commands(command)), columns)
    if command.epilog:
        yield from ("", "Example:")
        yield from _example(command.epilog, columns)


def _commands(group: TyperGroup) -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        if not command.hidden:
            yield name, " ".join((command.help or "").split("\n\n")[0].split())


def _usage(command: Any, ctx: Any, columns: int) -> Iterator[str]:
    words = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    yield from _wrapped(f"Usage: {words}", columns, rest="    ")


def _rows(title: str, rows: Sequence[tuple[str, str]], columns: int) -> Iterator[str]:
    """A definition list: beside each other, or below each other where there is little room."""
    if not rows:
        return
    yield from ("", f"{title}:")
    wide = columns >= SIDE_BY_SIDE
    indent = 4 + min(max(len(name) for name, _ in rows), NAME_COLUMNS) if wide else 6
    for name, does in rows:
        if wide and len(name) + 4 <= indent:
            first = f"  {name}".ljust(indent)
        else:
            yield from _wrapped(name, columns, first="  ", rest="    ")
            first = " " * indent
        yield from _wrapped(does, columns, first, " " * indent)


def _example(command: str, columns: int) -> Iterator[str]:
    """To be copied: where it does not fit, the shell is told that the line goes on."""
    lines = wrap(command, columns - 4, break_long_words=False, break_on_hyphens=False)
    for number, line in enumerate(lines):
        goes_on = " \\" if number < len(lines) - 1 else ""
        yield f"{'  ' if number == 0 else '    '}{line}{goes_on}"


def _wrapped(text: str, columns: int, first: str = "", rest: str = "") -> Iterator[str]:
    yield from wrap(
        text,
        columns,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _columns() -> int:
    """Of the terminal, or as COLUMNS says; 80 where there is neither."""
    return min(shutil.get_terminal_size().columns, MOST_COLUMNS)
