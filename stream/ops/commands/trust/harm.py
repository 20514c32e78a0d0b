"""`upwell harm`: a classifier learned of labelled texts, and why a text is hit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from stream.ops.commands.command import Json, faults, interruptible, print_json, shown
from stream.ops.commands.help import add, new_app

if TYPE_CHECKING:
    from stream.chain.policy.training import Share

__all__ = ["harm_app"]


def learn(
    file: Annotated[Path, typer.Argument(help="Texts with labels: CSV, or JSON a line.")],
    to: Annotated[Path, typer.Option(help="The file of the classifier.")],
    false_hits: Annotated[
        float, typer.Option(help="Share of harmless texts that may be called harmful.")
    ] = 0.001,
    seed: Annotated[int, typer.Option(help="Of the parts and of the order.", min=0)] = 7,
    as_json: Json = False,
) -> None:
    """Learn a small classifier of harm for a policy, with a threshold for a rate of false hits, and
    show how well it does on texts that it has not seen.
    """
    from stream.chain.policy.examples import read_examples
    from stream.chain.policy.model_file import write_model
    from stream.chain.policy.training import learn as learned

    with faults(), interruptible():
        examples, name = read_examples(file)
        model, figures = learned(examples, name, false_hits, seed)
        write_model(to, model)
        table = Table(name, "share", "95 %", "of", title=f"{to}: threshold {model.threshold:.6f}")
        for key, one in figures.items():
            low, high = one.interval
            told = (f"{one.value:.4f}", f"{low:.4f} to {high:.4f}", f"{one.of:,}")
            table.add_row(Text(key.replace("_", " ")), *told)
        shown(stderr=as_json).print(table)
        if as_json:
            held_out = {key: _told(one) for key, one in figures.items()}
            print_json(
                {
                    "name": name,
                    "threshold": model.threshold,
                    "examples": dict(model.examples),
                    "held_out": held_out,
                }
            )


def why(
    file: Annotated[Path, typer.Argument(help="A policy in TOML, as UPWELL_POLICY names it.")],
    text: Annotated[str, typer.Argument(help="What is looked at.")],
    as_json: Json = False,
) -> None:
    """Show what a policy finds in one text: terms of its lists, and of its classifier the
    probability and the n-grams that weigh most.
    """
    from stream.chain.policy import load_policy
    from stream.replay.table import printable

    with faults():
        own = load_policy(file)
        hits = [{"list": name, "term": hit.term} for name, hit in own.hits(text)]
        judges = {} if own.classified is None else _judged(own.classified, text)
        table = Table("list", "term", title=f"{len(hits)} hits")
        for hit in hits:
            table.add_row(Text(hit["list"]), Text(hit["term"]))
        if judges:
            said = f"{judges['name']}: probability {judges['probability']:.4f}, harmful from "
            weighed = ", ".join(f"{one['gram']} {one['adds']:+.2f}" for one in judges["grams"])
            table.caption = Text(printable(f"{said}{judges['threshold']:.4f}; {weighed}"))
        shown(stderr=as_json).print(table)
        if as_json:
            print_json({"hits": hits, "classifier": judges or None})


def _judged(own: Any, text: str) -> dict[str, Any]:
    judge = own.classifier
    return {
        "name": own.name,
        "probability": judge.probability(text),
        "threshold": judge.threshold,
        "grams": [{"gram": gram, "adds": adds} for gram, adds in judge.why(text)],
    }


def _told(one: Share) -> dict[str, Any]:
    return {"share": one.value, "of": one.of, "interval": list(one.interval)}


harm_app = new_app("harm", "A classifier of harm, learned of labelled texts.")
add(harm_app, "harm learn", learn)
add(harm_app, "harm why", why)
