"""Which fields each kind of control needs, which it may have, and how they go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from upwell.errors import InvalidEventError
from upwell.events import Control, ControlKind, Decision

__all__ = [
    "KINDS_OF_OVERRIDES",
    "OF_QUARANTINE",
    "RULES",
    "SCOPES",
    "WITH_BOOST",
    "Rule",
    "check_control",
]


@dataclass(frozen=True, slots=True)
class Rule:
    """needs: fields without which a control of the kind says nothing. may: fields that it may have
    too. All others have no meaning for it.
    """

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()

    @property
    def none(self) -> tuple[str, ...]:
        """Fields that have no meaning for the kind."""
        return tuple(name for name in FIELDS if name not in (*self.needs, *self.may))


SCOPES = ("user_id", "segment", "query")
"""Whom an override is for: one of these at most, none for everyone."""
WITH_BOOST = (Decision.BOOST, Decision.DEMOTE)
"""Decisions that say how much."""
OF_QUARANTINE = (Decision.RELEASE, Decision.REFUSE)
"""Decisions on what is learned, for everyone."""

RULES: Mapping[ControlKind, Rule] = {
    ControlKind.FORGET_USER: Rule(("user_id",)),
    ControlKind.MERGE_USER: Rule(("user_id", "from_user")),
    ControlKind.BAN_ITEM: Rule(("item_id",)),
    ControlKind.PIN_ITEM: Rule(("item_id",)),
    ControlKind.BOOST_ITEM: Rule(("item_id", "boost")),
    ControlKind.CLEAR_ITEM: Rule(("item_id",)),
    ControlKind.OVERRIDE: Rule(
        ("override_id", "item_id", "decision"),
        (*SCOPES, "match", "boost", "from_ts", "until_ts", "priority"),
    ),
    ControlKind.APPROVE: Rule(("override_id",), ("of_event",)),
    ControlKind.REJECT: Rule(("override_id",), ("of_event",)),
    ControlKind.WITHDRAW: Rule(("override_id",)),
    ControlKind.TAG_USER: Rule(("user_id", "segment")),
    ControlKind.UNTAG_USER: Rule(("user_id", "segment")),
    ControlKind.ROLLBACK_MODEL: Rule(("version",)),
    ControlKind.PROMOTE_ENCODER: Rule(("version",)),
    ControlKind.ROLLBACK_ENCODER: Rule(("version",)),
}
KINDS_OF_OVERRIDES = frozenset(
    {ControlKind.OVERRIDE, ControlKind.APPROVE, ControlKind.REJECT, ControlKind.WITHDRAW}
)
FIELDS = tuple(dict.fromkeys(name for rule in RULES.values() for name in (*rule.needs, *rule.may)))
_HINTS = {"boost": ": -10 to 10, added to the item's score"}


def check_control(control: Control) -> None:
    """Raises `InvalidEventError` where the fields do not go together."""
    rule = RULES[control.kind]
    for name in rule.needs:
        if getattr(control, name) is None:
            hint = _HINTS.get(name, "")
            raise _missing(f"{name} is missing, {control.kind} needs it{hint}")
    for name in rule.none:
        if getattr(control, name) is not None:
            raise _unexpected(f"{name} has no meaning for {control.kind}: leave it out")
    if control.from_user is not None and control.from_user == control.user_id:
        raise _unexpected("from_user is user_id itself: a merge is of two users")
    if control.kind is ControlKind.OVERRIDE:
        _check_override(control)


def _check_override(control: Control) -> None:
    scopes = [name for name in SCOPES if getattr(control, name) is not None]
    if scopes and control.decision in OF_QUARANTINE:
        raise _unexpected(f"{scopes[0]} has no meaning for {control.decision}: leave it out")
    if len(scopes) > 1:
        raise _unexpected(f"an override has one of {', '.join(SCOPES)}, this one {len(scopes)}")
    if control.match is not None and control.query is None:
        raise _unexpected("match has no meaning without query: leave it out")
    if control.decision in WITH_BOOST:
        if control.boost is None:
            raise _missing(f"boost is missing, {control.decision} needs it: above 0, at most 10")
        if control.boost <= 0:
            raise InvalidEventError(
                "out_of_range",
                f"boost is {control.boost:g}, above 0 is right: the decision says which way",
            )
    elif control.boost is not None:
        raise _unexpected(f"boost has no meaning for {control.decision}: leave it out")
    start, end = control.from_ts, control.until_ts
    if start is not None and end is not None and end <= start:
        raise InvalidEventError("bad_time", "until_ts is not after from_ts: it would never hold")


def _missing(detail: str) -> InvalidEventError:
    return InvalidEventError("missing_field", detail)


def _unexpected(detail: str) -> InvalidEventError:
    return InvalidEventError("unexpected_field", detail)
