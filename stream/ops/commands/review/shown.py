"""The queue for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from stream.chain.overrides.ledger import Kept
from stream.ops.review.queue import Reason, Row
from stream.replay.table import Rows, plain, printable

__all__ = ["item_lines", "kept_of", "queue_table", "row_of"]


def queue_table(rows: Iterable[Row]) -> Rows:
    """One row an item."""
    table = Rows("item", "title", "why", "decided", title="Items to look at")
    for one in rows:
        decided = "" if one.decided is None else _said(kept_of(one.decided))
        why = "; ".join(_because(one, reason) for reason in one.reasons)
        table.add_row(plain(one.item_id), plain(one.title or ""), why, plain(decided))
    return table


def item_lines(row: Row) -> Iterator[str]:
    """One item's reasons, a line each."""
    when = "" if row.announced is None else f", announced {_utc(row.announced)}"
    yield f"{printable(row.item_id)}: {printable(row.title or 'no title is held')}{when}"
    for reason in row.reasons:
        yield f"- {reason}: {_because(row, reason)}"
    if row.decided is not None:
        yield f"decided: {printable(_said(kept_of(row.decided)))}"


def row_of(row: Row) -> dict[str, Any]:
    """For scripts."""
    return {
        "item_id": row.item_id,
        "title": row.title,
        "reasons": [str(one) for one in row.reasons],
        "against": row.against,
        "now": row.now,
        "before": row.before,
        "drift": round(row.drift, 3),
        "shown": row.shown,
        "announced": row.announced,
        "decided": row.decided and kept_of(row.decided),
    }


def kept_of(kept: Kept) -> dict[str, Any]:
    """What stands of a decision, and what waits first."""
    one = kept.waiting or kept.standing
    told = {} if one is None else one.values()
    if kept.waiting is None:
        return {**told, "state": "in_force"}
    approved = {"needs": kept.needs, "approved_by": list(kept.approvals)}
    return {**told, **approved, "state": "waits"}


def _said(kept: dict[str, Any]) -> str:
    return f"{kept.get('decision')} by {kept.get('by')}: {kept.get('why')} ({kept['state']})"


def _because(row: Row, reason: Reason) -> str:
    match reason:
        case Reason.REPORTED:
            return f"{row.against} users speak against it"
        case Reason.NEWLY_POPULAR:
            return f"new, and {row.now} users took it lately"
        case Reason.DRIFTING:
            return f"{row.now} users took it lately, {row.before} before ({row.drift:+.1f} errors)"
        case Reason.LOW_CONFIDENCE:
            users = row.now + row.before
            return f"{row.shown} times in lists, and {users} users took it"


def _utc(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
