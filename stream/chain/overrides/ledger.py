"""What stands of an override: the one in force, the one that waits for approval, who approved it.
Pure: a control is ruled on, and what was ruled is applied; the same controls in the same order come
to the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from stream.chain.overrides.override import Override
from upwell.events import Control, ControlKind

__all__ = ["MOST_OVERRIDES", "Kept", "Outcome", "Refusal", "applied", "person", "ruled"]

MOST_OVERRIDES = 10_000
"""Of one partition: each list looks through those that may cover it."""


class Outcome(StrEnum):
    """What came of a control."""

    DONE = "done"
    IN_FORCE = "in_force"
    WAITS = "waits"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Of a dead letter."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Of one override_id. seq: of the audit entry that changed it last. needs: how many others have
    to approve the one that waits; approvals: who did.
    """

    seq: int
    standing: Override | None = None
    waiting: Override | None = None
    needs: int = 0
    approvals: tuple[str, ...] = ()


def person(by: str) -> str:
    """By which two names are one person's: case, width and white space set nobody apart."""
    return " ".join(unicodedata.normalize("NFKC", by).casefold().split())


def ruled(kept: Kept | None, control: Control, needs: int, held: int) -> Outcome | Refusal:
    """What comes of a control on an override of which `kept` stands. needs: how many others have to
    approve a new one; held: how many overrides there are.
    """
    match control.kind:
        case ControlKind.OVERRIDE:
            if kept is None and held >= MOST_OVERRIDES:
                return Refusal(
                    "overrides_full",
                    f"{held:,} overrides stand on this partition, no more are kept: withdraw some",
                )
            return Outcome.WAITS if needs else Outcome.IN_FORCE
        case ControlKind.APPROVE:
            return _ruled_approval(kept, control)
        case ControlKind.REJECT:
            return _not_waiting(kept, control) or Outcome.REJECTED
        case ControlKind.WITHDRAW:
            return Outcome.WITHDRAWN if kept is not None else _unknown(control, "stands or waits")
        case _:
            return Outcome.DONE


def applied(
    kept: Kept | None,
    seq: int,
    kind: ControlKind,
    outcome: Outcome,
    who: str,
    what: Mapping[str, Any],
) -> Kept | None:
    """What stands after a control of which this came; None of nothing. what: of an override its
    values and `needs`.
    """
    if outcome in (Outcome.REFUSED, Outcome.DONE):
        return kept
    if outcome is Outcome.WITHDRAWN:
        return None
    standing = None if kept is None else kept.standing
    if kind is ControlKind.OVERRIDE:
        made = Override.of(what)
        if outcome is Outcome.IN_FORCE:
            return Kept(seq=seq, standing=made)
        return Kept(seq=seq, standing=standing, waiting=made, needs=int(what["needs"]))
    if kept is None or kept.waiting is None:
        return kept
    if outcome is Outcome.REJECTED:
        return None if standing is None else Kept(seq=seq, standing=standing)
    if outcome is Outcome.IN_FORCE:
        return Kept(seq=seq, standing=kept.waiting)
    return replace(kept, seq=seq, approvals=(*kept.approvals, who))


def _ruled_approval(kept: Kept | None, control: Control) -> Outcome | Refusal:
    refused = _not_waiting(kept, control)
    if refused is not None or kept is None or kept.waiting is None:
        return refused or _unknown(control, "waits for approval")
    if person(control.by) == person(kept.waiting.by):
        return Refusal(
            "same_person",
            f"{control.override_id} was said by the same person: another one has to approve it",
        )
    if person(control.by) in map(person, kept.approvals):
        return Refusal(
            "same_person",
            f"this person approved {control.override_id} before: {kept.needs} different ones "
            "have to",
        )
    return Outcome.IN_FORCE if len(kept.approvals) + 1 >= kept.needs else Outcome.WAITS


def _not_waiting(kept: Kept | None, control: Control) -> Refusal | None:
    waiting = None if kept is None else kept.waiting
    if waiting is None:
        return _unknown(control, "waits for approval")
    if control.of_event is not None and control.of_event != waiting.event_id:
        return Refusal(
            "unknown_override",
            f"{control.override_id} was said anew since: what waits is the record of event_id "
            f"{waiting.event_id}; look at it, then answer that one",
        )
    return None


def _unknown(control: Control, what: str) -> Refusal:
    return Refusal(
        "unknown_override",
        f"no override {control.override_id} {what}: look at its override_id",
    )
