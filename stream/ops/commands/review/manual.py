"""What the manual says of `upwell review`."""

from __future__ import annotations

from collections.abc import Mapping

from stream.ops.commands.entry import Entry
from upwell.system.exit_codes import ExitCode

__all__ = ["REVIEW"]

_ROW = {
    "item_id": "of the item",
    "title": "as it was announced; null where no topic has it any more",
    "reasons": "`reported`, `newly_popular`, `drifting`, `low_confidence`, and, with "
    "UPWELL_REVIEW_TEACHES, `like_banned`",
    "why": "the same as sentences",
    "since": "when the first of them began to hold, by what is counted now; of a drift, when the "
    "newer half began; UTC ms",
    "against": "users whose newest word is against it",
    "now": "users who took it in the newer half of the hours",
    "before": "users who took it in the older half",
    "drift": "standard errors by which the halves differ more than those of all items that were "
    "there before",
    "shown": "times it stood in lists of the newer half",
    "announced": "first, as far as the topic goes back, UTC ms; null where it has it no more",
    "like": "of one that is like a banned item: that item's id; else null",
    "decided": "what stands of a decision (as `audit standing` has it), null where nothing does",
}

REVIEW: Mapping[str, Entry] = {
    "review": Entry("upwell review list"),
    "review list": Entry(
        "upwell review list --hours 24",
        (ExitCode.BROKER,),
        "the queue",
        {"hours": "that were looked at", "items": "of each what `review show` says"},
    ),
    "review show": Entry("upwell review show i1", (ExitCode.BROKER,), "one item", _ROW),
    "review decide": Entry(
        "upwell review decide i1 --decision keep --by ann --why seen",
        (ExitCode.BROKER,),
        "what stands of the decision",
        {
            "override_id": "under which it stands",
            "item_id": "of the item",
            "decision": "ban, pin, boost, demote or keep",
            "boost": "how much, of boost and demote",
            "by": "who",
            "why": "why",
            "until_ts": "until when it holds, UTC ms",
            "event_id": "of the control, which an approval may name",
            "at": "when Kafka had it, UTC ms",
            "priority": "of two decisions on one item the higher holds",
            "match": "without a meaning here",
            "needs": "of one that waits: how many others have to approve it",
            "approved_by": "of one that waits: who has",
            "state": "in_force or waits",
        },
    ),
}
