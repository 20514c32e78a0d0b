"""A row of the queue, and what stands of a decision, in JSON's types and in sentences: what the
command and the gateway show.
"""

from __future__ import annotations

from typing import Any

from stream.chain.overrides.ledger import Kept
from stream.ops.review.queue import Reason, Row

__all__ = ["because", "kept_of", "row_of"]


def row_of(row: Row) -> dict[str, Any]:
    """For scripts."""
    return {
        "item_id": row.item_id,
        "title": row.title,
        "reasons": [str(one) for one in row.reasons],
        "why": [because(row, one) for one in row.reasons],
        "since": row.since,
        "against": row.against,
        "now": row.now,
        "before": row.before,
        "drift": round(row.drift, 3),
        "shown": row.shown,
        "announced": row.announced,
        "like": row.like and row.like.ban.item_id,
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


def because(row: Row, reason: Reason) -> str:
    """Why it is in the queue, as a sentence."""
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
        case Reason.LIKE_BANNED:
            assert row.like is not None  # who has the reason has it
            ban, alike = row.like.ban, f"{row.like.likeness:.0%}"
            return f"{alike} like item {ban.item_id}, which {ban.by} banned: {ban.why}"
