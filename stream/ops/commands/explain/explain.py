"""`upwell explain`: a published list made again, and what would have had to differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stream.ops.commands.command import (
    Json,
    Shares,
    faults,
    interruptible,
    print_json,
    sentences,
    settings,
    shown,
    tell,
)
from upwell.system.exit_codes import ExitCode

if TYPE_CHECKING:
    from stream.explain.again import Again
    from upwell.settings import Settings
    from upwell.values import Vector

__all__ = ["explain"]


def explain(
    list_id: Annotated[str, typer.Argument(help="A list's own id, or `newest`.")],
    item: Annotated[
        str | None, typer.Option(help="Of which item; the first where none is named.")
    ] = None,
    most: Annotated[
        int, typer.Option(help="Sets of events of one size that are all tried.", min=0)
    ] = 20_000,
    shares: Shares = False,
    as_json: Json = False,
) -> None:
    """Make a published list again, to the digit, from what its worker kept (UPWELL_EXPLAIN), and
    show the fewest events of the user without which an item would not be in it.
    """
    from stream.explain.held import counterfactual_of, explained
    from stream.explain.report import report_of
    from stream.ops.commands.explain.shown import differs_line, items_table, words_of

    with faults(), interruptible():
        own, why = settings(), sentences(shares)
        again = explained(own, list_id)
        found = None
        if again.same:
            found = counterfactual_of(own, again, item, most, _words(own, again))
        told = report_of(again, found)
        page = shown(stderr=as_json)
        page.print(items_table(again, why))
        for line in words_of(told):
            page.print(line, markup=False, highlight=False)
        if as_json:
            print_json(told)
        if not again.same:
            tell(differs_line(told), style="red")
            raise typer.Exit(ExitCode.MODEL)


def _words(own: Settings, again: Again) -> Vector | None:
    """The vector of the words that the list answers, by the encoder that reads the catalogue.
    Raises `EncoderError`.
    """
    words = again.request.words
    if words is None or not again.request.state.intent.any():
        return None
    from stream.chain.catalogue import vectors_of
    from stream.encode.load import load

    encoder = load(own.encoder, own.encoder.model)
    try:
        newest = max(
            (one for one in again.replica.ranking.catalogue.items if one is not None),
            key=lambda one: one.sequence,
            default=None,
        )
        if newest is None or vectors_of(newest.revision) != vectors_of(encoder.revision):
            tell(
                "the words of the search stay in: the encoder that read them is not UPWELL_ENCODER"
            )
            return None
        found: Vector = encoder.encode([words])[0]
        return found
    finally:
        encoder.close()
