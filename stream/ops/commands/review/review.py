"""`upwell review`: items that somebody should look at, and deciding, on the record."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.ops.commands.command import (
    Json,
    client,
    connected,
    console,
    faults,
    interruptible,
    print_json,
    shown,
    tell,
)
from stream.ops.commands.help import add, new_app
from upwell.events import Decision
from upwell.system.clock import now_ms

__all__ = ["review_app"]

Hours = Annotated[
    float, typer.Option(help="What was appended in so many hours is looked at.", min=0.01)
]
Item = Annotated[str, typer.Argument(help="An item's id.")]


def show_list(
    hours: Hours = 24.0,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="Those too of which a decision is in force.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show items that users speak against, that many took up of late, whose takers changed, or that
    stand in lists though little is known of them.
    """
    from stream.ops.commands.review.shown import queue_table
    from stream.ops.review.desk import read_queue
    from stream.ops.review.queue import undecided
    from stream.ops.review.told import row_of
    from stream.replay.progress import watched

    with faults(), interruptible():
        own = connected()
        with watched(console) as moved:
            rows = read_queue(own, hours, now_ms(), moved)
        rows = rows if all_of_them else undecided(rows)
        shown(stderr=as_json).print(queue_table(rows))
        if as_json:
            print_json({"hours": hours, "items": [row_of(one) for one in rows]})


def show(item: Item, hours: Hours = 24.0, as_json: Json = False) -> None:
    """Show why one item is in the queue, and what was decided of it."""
    from stream.ops.commands.review.shown import item_lines
    from stream.ops.review.desk import read_queue
    from stream.ops.review.told import row_of
    from upwell.errors import SettingsError

    with faults(), interruptible():
        rows = read_queue(connected(), hours, now_ms())
        found = next((one for one in rows if one.item_id == item), None)
        if found is None:
            raise SettingsError(f"item {item} is not in the queue of the last {hours:g} hours")
        for line in item_lines(found):
            shown(stderr=as_json).print(line, markup=False, highlight=False)
        if as_json:
            print_json(row_of(found))


def decide(
    item: Item,
    decision: Annotated[
        Decision,
        typer.Option(
            metavar="<decision>",
            help="ban, pin, boost, demote, keep (nothing), or release and refuse what waits in "
            "quarantine because of it.",
        ),
    ],
    by: Annotated[str, typer.Option(help="Who decides; kept on the record.")],
    why: Annotated[str, typer.Option(help="Kept on the record.")],
    boost: Annotated[
        float | None, typer.Option(help="For boost and demote: how much, above 0.")
    ] = None,
    days: Annotated[float, typer.Option(help="For so long it holds.", min=0.01)] = 30.0,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for it to hold.", min=0.1)] = 20.0,
    as_json: Json = False,
) -> None:
    """Decide what becomes of an item: an override for everyone, on the audit log, which waits for
    others where UPWELL_APPROVALS asks for them.
    """
    from stream.ops.review.desk import Said
    from stream.ops.review.desk import decide as say
    from stream.ops.review.told import kept_of

    with faults(), interruptible(), client() as upwell:
        said = Said(item, decision, by, why, days, boost)
        kept = kept_of(say(connected(), upwell, said, now_ms(), timeout))
        tell(f"{decision} of item {item}: {kept['state']}")
        if as_json:
            print_json(kept)


review_app = new_app("review", "Items that somebody should look at, and deciding on the record.")
add(review_app, "review list", show_list)
add(review_app, "review show", show)
add(review_app, "review decide", decide)
