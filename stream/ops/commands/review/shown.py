"""The queue for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from stream.ops.review.queue import Row
from stream.ops.review.told import because, kept_of
from stream.replay.table import Rows, plain, printable

__all__ = ["item_lines", "queue_table"]


def queue_table(rows: Iterable[Row]) -> Rows:
    """One row an item."""
    table = Rows("item", "title", "why", "decided", title="Items to look at")
    for one in rows:
        decided = "" if one.decided is None else _said(kept_of(one.decided))
        why = "; ".join(because(one, reason) for reason in one.reasons)
        table.add_row(plain(one.item_id), plain(one.title or ""), plain(why), plain(decided))
    return table


def item_lines(row: Row) -> Iterator[str]:
    """One item's reasons, a line each."""
    when = "" if row.announced is None else f", announced {_utc(row.announced)}"
    yield f"{printable(row.item_id)}: {printable(row.title or 'no title is held')}{when}"
    for reason in row.reasons:
        yield f"- {reason}: {printable(because(row, reason))}"
    yield f"since {_utc(row.since)}"
    if row.decided is not None:
        yield f"decided: {printable(_said(kept_of(row.decided)))}"


def _said(kept: dict[str, Any]) -> str:
    return f"{kept.get('decision')} by {kept.get('by')}: {kept.get('why')} ({kept['state']})"


def _utc(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
