"""`upwell policy`: what the lists of a policy find in a log, before they hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from stream.ops.commands.command import Json, faults, interruptible, print_json, shown
from stream.ops.commands.play import Log

if TYPE_CHECKING:
    from stream.replay.harm import Found

__all__ = ["policy"]

_MOST = 40


def policy(
    file: Annotated[Path, typer.Argument(help="A policy in TOML, as UPWELL_POLICY names it.")],
    log: Log,
    as_json: Json = False,
) -> None:
    """Show what a policy's lists find in the texts of a log: how many, which terms, and around
    which words, so that what is no harm can be allowed before the policy holds.
    """
    from stream.chain.policy import load_policy
    from stream.replay.harm import look_through
    from stream.replay.log import read_log

    with faults(), interruptible():
        own = load_policy(file)
        found = look_through(read_log(log), own)
        shown(stderr=as_json).print(_table(found))
        if as_json:
            print_json(found.report())


def _table(found: Found) -> Table:
    from stream.replay.table import printable

    told: dict[str, Any] = found.report()
    counts = [f"{told['harmful'][topic]:,} of {n:,} {topic}" for topic, n in told["texts"].items()]
    table = Table("list", "term", "hits", "where", title="; ".join(counts) or "no texts")
    for one in told["terms"][:_MOST]:
        where = Text("\n".join(printable(text) for text in one["examples"]))
        table.add_row(Text(one["list"]), Text(one["term"]), f"{one['hits']:,}", where)
    if len(told["terms"]) > _MOST:
        table.caption = f"and {len(told['terms']) - _MOST:,} terms more: --json has all"
    return table
