"""`upwell privacy`: what was spent of the budget under which is learned from many users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from stream.ops.commands.command import (
    Json,
    connected,
    faults,
    interruptible,
    print_json,
    shown,
    tell,
)
from upwell.events import Topic
from upwell.system.exit_codes import ExitCode

__all__ = ["privacy", "privacy_report", "privacy_sentence"]


def privacy(as_json: Json = False) -> None:
    """Show the budget of privacy: epsilon and delta, what of it is spent, and whether the engine
    still learns from new events.
    """
    from stream.ops.top.look import looking
    from stream.ops.top.screen import nobody

    with faults(), interruptible():
        own = connected().kafka
        with looking(own) as look:
            look.first_report()
            report = privacy_report(look.newest())
        if report is None:
            tell(nobody(own.prefix + Topic.METRICS, own.address or ""))
            raise typer.Exit(ExitCode.FAILED)
        if as_json:
            print_json(report)
        else:
            shown(stderr=False).print(privacy_sentence(report), highlight=False)


def privacy_report(records: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """By worker the records of `metrics`: what the learner says of its budget, all None where it
    has none; None where no learner speaks.
    """
    names = ("epsilon", "delta", "spent", "epochs", "exhausted", "users")
    for one in records.values():
        if one["role"] == "learn":
            told = one.get("private") or {}
            return {name: told.get(name) for name in names}
    return None


def privacy_sentence(report: Mapping[str, Any]) -> str:
    """The same for people."""
    if report["epsilon"] is None:
        return (
            "No budget: what is learned from many users is told without noise. Set "
            "UPWELL_PRIVATE_EPSILON on a fresh data folder and prefix (docs/private.md)."
        )
    end = (
        "It is spent: nothing is learned of new events any more."
        if report["exhausted"]
        else "It learns."
    )
    return (
        f"ε {report['spent']:.2f} of {report['epsilon']:g} spent at δ {report['delta']:.2g}, "
        f"in {report['epochs']} epochs, by what {report['users']:,} users added. {end}"
    )
