"""An export on a terminal: what there is, how much of it, where; the whole is the JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from stream.replay.table import Rows, plain

__all__ = ["show_export"]

NEWEST = 10
"""Of the history and of a list."""


def show_export(found: Mapping[str, Any], console: Console) -> None:
    """found: of `export`."""
    who = plain(found["user_id"])
    console.print(f"{who} is kept as {found['pseudonym']}", highlight=False)
    if found["forgotten_ms"] is not None:
        console.print(f"was forgotten on {_utc(found['forgotten_ms'])}", highlight=False)
    if not found["held"]:
        console.print(f"nothing is held of {who}; looked at:", highlight=False)
        console.print(f"- {plain(found['store'])}", highlight=False)
        console.print(f"- {_checkpoint(found['learner'])}", highlight=False)
        for use in found["uses"]:
            console.print(f"- {use}'s checkpoint", highlight=False)
        console.print(f"- the topics {', '.join(found['topics'])}", highlight=False)
    else:
        console.print(_kept(found))
        if found["state"] is not None and found["state"]["history"]:
            console.print(_history(found["state"]["history"]))
        if found["newest_list"] is not None:
            items = [plain(one["item_id"]) for one in found["newest_list"]["items"][:NEWEST]]
            console.print(f"newest list: {', '.join(items)}", highlight=False)
    console.print("not in here:", *(f"- {one}" for one in found["not_in_here"]), sep="\n")


def _kept(found: Mapping[str, Any]) -> Rows:
    table = Rows("where", "what", title=f"What is held of {plain(found['user_id'])}")
    table.add_row(plain(found["store"]), _state(found["state"]))
    for name, state in found["guests"]["states"].items():
        table.add_row(f"guest {name}", _state(state))
    table.add_row(_checkpoint(found["learner"]), f"{len(found['learner']['windows'])} windows")
    for use, one in found["uses"].items():
        none = one["checkpoint"] is None
        kept = "none yet" if none else f"{len(one['kept'])} of what was said"
        table.add_row(f"{use}'s checkpoint", kept)
    if found["kept_lists"]:
        lists = f"{len(found['kept_lists'])} lists, and what they were made of"
        table.add_row("serve workers' evidence", lists)
    for topic, one in found["topics"].items():
        if one["count"]:
            span = f"{_utc(one['oldest_ms'])} to {_utc(one['newest_ms'])}"
            table.add_row(f"topic {topic}", f"{one['count']:,} records, {span}")
    return table


def _state(state: Mapping[str, Any] | None) -> str:
    if state is None:
        return "no state"
    return (
        f"{state['events']:,} events, the newest {len(state['history'])} of them as history; "
        f"{len(state['had'])} items had, {len(state['impressions'])} impressions, "
        f"{len(state['pending'])} pending, an intent vector of {len(state['intent'])} numbers, "
        f"{len(state['merged'])} guests"
    )


def _history(history: list[Mapping[str, Any]]) -> Rows:
    table = Rows("when (UTC)", "what", "item", title=f"The newest {NEWEST} of the history")
    for one in reversed(history[-NEWEST:]):
        rating = "" if one["rating"] is None else f" {one['rating']:g}"
        table.add_row(_utc(one["ts"]), f"{plain(one['kind'])}{rating}", plain(one["item_id"] or ""))
    return table


def _checkpoint(learner: Mapping[str, Any]) -> str:
    name = learner["checkpoint"]
    return "no checkpoint of learn yet" if name is None else f"learn's checkpoint {plain(name)}"


def _utc(ms: int) -> str:
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, OSError, ValueError):
        return f"{ms} ms"
