"""`upwell watch`, `recommend` and `forget`: what an app would do, typed by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.ops.commands.command import (
    Json,
    Shares,
    client,
    faults,
    interruptible,
    print_json,
    sentences,
    shown,
    tell,
)

__all__ = ["forget", "recommend", "watch"]


def watch(
    user: Annotated[str | None, typer.Option(help="Only this user's lists.")] = None,
    count: Annotated[int | None, typer.Option(help="End after so many.", min=1)] = None,
    shares: Shares = False,
    as_json: Json = False,
) -> None:
    """Show lists as they are published; with --json a list a line."""
    from stream.replay.report import list_table

    with faults(), interruptible(), client() as upwell:
        why, page = sentences(shares), shown(stderr=False)
        lists = upwell.lists(user)
        tell("waiting for lists; Ctrl-C ends it")
        for number, recommendations in enumerate(lists, 1):
            if as_json:
                print_json(recommendations)
            else:
                page.print(list_table(recommendations, why))
            if number == count:
                return


def recommend(
    user: Annotated[str, typer.Option(help="For whom.")],
    k: Annotated[int, typer.Option(help="How many.", min=1, max=100)] = 10,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.", min=0.1)] = 10.0,
    shares: Shares = False,
    as_json: Json = False,
) -> None:
    """Ask for a user's list now, through the requests topic."""
    from stream.replay.report import list_table

    with faults(), interruptible(), client() as upwell:
        why = sentences(shares)
        answer = upwell.request_list(user, k, timeout)
        shown(stderr=as_json).print(list_table(answer, why))
        if as_json:
            print_json(answer)


def forget(
    user: Annotated[str, typer.Option(help="Whom, by the app's own id.")],
    why: Annotated[str, typer.Option(help="Kept with the request.")] = "the user asked for it",
    by: Annotated[str, typer.Option(help="Who asks; kept with the request.")] = "upwell forget",
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait for the confirmation.", min=0.1)
    ] = 60.0,
    as_json: Json = False,
) -> None:
    """Have all that is kept of a user removed, and show what was removed and what remains."""
    from stream.replay.report import show_confirmation

    with faults(), interruptible(), client() as upwell:
        confirmed = upwell.forget(user, by, why, timeout)
        show_confirmation(confirmed, shown(stderr=as_json))
        if as_json:
            print_json(confirmed)
