"""The page of all commands: `python -m stream.ops.commands.page` prints docs/cli.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from stream.ops.cli import app
from stream.ops.commands.help import options_of
from stream.ops.commands.manual import ALWAYS, MANUAL, Entry
from upwell.system.exit_codes import MEANINGS

__all__ = ["cli_page", "commands_of", "main"]

HEAD = """# The command line

<!-- Made by `make docs` from stream/ops/commands: change it there. -->

Each command's `--help` shows what stands here. All read the settings ([settings.md](settings.md)).

- **What scripts read.** With `--json` standard output has JSON and nothing else: one object in one
  line, or an object a line where a command goes on. Progress and words for people are on the error
  output. A command that fails prints no object there. `doctor`, `top --once`, and `replay` of too
  many that are no events do, and say with their exit code that something is wrong.
- **Faults** are one line on the error output, `upwell: ` and what to do. `UPWELL_TRACEBACK=1` shows
  where it came from.
- **No terminal.** In a pipe or a file, and on `TERM=dumb`, nothing has an escape code and progress
  is a line each ten seconds; `NO_COLOR` takes colours off a terminal too. Tables and help fit the
  width of the terminal (`COLUMNS`), 80 where there is none.
- **Completion.** The option `--install-completion` is for the shell it is typed in (bash, zsh,
  fish, PowerShell); `--show-completion` prints what it installs.

## Exit codes

| code | what it means |
| --- | --- |
"""
ANY = ", ".join(str(one.value) for one in ALWAYS)
USUAL = f"Any command may end with {ANY}; what else one may end with is said with it."


def cli_page() -> str:
    """docs/cli.md."""
    codes = "".join(f"| {code.value} | {meaning} |\n" for code, meaning in MEANINGS.items())
    sections = "".join(
        "\n".join(_section(path, command)) + "\n"
        for path, command in commands_of(typer.main.get_command(app))
        if not isinstance(command, TyperGroup)
    )
    return f"{HEAD}{codes}\n{USUAL}\n{sections}"


def commands_of(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The command, or the group and all below it, each with what is typed after `upwell`."""
    yield path, command
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from commands_of(below, f"{path} {name}".lstrip())


def _section(path: str, command: Any) -> Iterator[str]:
    entry = MANUAL[path]
    yield from ("", f"## {path}", "", *_paragraphs(command.help), "")
    yield from ("```bash", entry.example, "```", "")
    yield from ("| argument or option | what it is |", "| --- | --- |")
    with command.make_context(f"upwell {path}", [], resilient_parsing=True) as ctx:
        for _, name, does in options_of(command, ctx):
            if not name.startswith("--help"):
                yield f"| `{_cell(name)}` | {_cell(does)} |"
    yield from ("", f"Ends with: {', '.join(str(code.value) for code in _ends(entry))}.")
    if entry.json:
        yield from _json(entry)


def _ends(entry: Entry) -> list[Any]:
    return sorted({*ALWAYS, *entry.ends})


def _json(entry: Entry) -> Iterator[str]:
    often = ", an object a line as they come" if entry.stream else ""
    yield from ("", f"`--json`: {entry.json}{often}.")
    if entry.fields:
        yield from ("", "| field | what it is |", "| --- | --- |")
        yield from (f"| `{name}` | {does} |" for name, does in entry.fields.items())


def _paragraphs(text: str | None) -> list[str]:
    return [" ".join(one.split()) for one in (text or "").split("\n\n")]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Print the page."""
    sys.stdout.write(cli_page())


if __name__ == "__main__":
    main()
