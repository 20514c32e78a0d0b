"""A record of the topic `knowledge`: a triple or a rule, and which of its fields go together.

It knows nothing of the other topics.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from upwell.errors import InvalidEventError
from upwell.fields import Check, choice, flag, label, listing, whole

__all__ = ["CHECKS", "MOST_OBJECTS", "MOST_RELATIONS", "Knowledge", "KnowledgeKind", "fields_agree"]

MOST_RELATIONS = 16
MOST_OBJECTS = 256
"""Of an item: so many relations with items, so many with values, and so many of each."""
_OF_TRIPLES = ("item_id", "object")
_OF_RULES = ("rule_id", "category", "months", "within")


class KnowledgeKind(StrEnum):
    """What a record says: a fact of an item, or what lists leave out."""

    TRIPLE = "triple"
    FILTER = "filter"


_LABEL = label(optional=True)
CHECKS: dict[str, Check] = {
    "kind": choice(KnowledgeKind),
    "item_id": _LABEL,
    "relation": label(64, optional=True),
    "object": _LABEL,
    "value": _LABEL,
    "rule_id": _LABEL,
    "category": _LABEL,
    "months": listing(whole(1, 12), 12, least=1),
    "within": _LABEL,
    "deleted": flag,
    "event_id": _LABEL,
}
"""Of each field by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """A triple: `item_id` stands in `relation` to the item `object`, or has the `value` of it. Or a
    rule, a `filter`: items of a `category`, or with a `value` of a `relation`, are left out.

    A later rule of the same `rule_id` replaces it. `deleted` takes back a triple or a rule. months:
    1 to 12, of the time of the event or request; `within`: the category that a request asks for.
    Without both a rule always holds.
    """

    ts: int
    kind: KnowledgeKind
    item_id: str | None = None
    relation: str | None = None
    object: str | None = None
    value: str | None = None
    rule_id: str | None = None
    category: str | None = None
    months: tuple[int, ...] = ()
    within: str | None = None
    deleted: bool = False
    event_id: str | None = None

    @property
    def key(self) -> str:
        """Of its record: the item, or the rule."""
        return self.item_id or self.rule_id or ""


def fields_agree(known: Knowledge) -> None:
    """Raises `InvalidEventError` where a field is missing or has no meaning beside the others."""
    if known.kind is KnowledgeKind.TRIPLE:
        _triple(known)
    else:
        _rule(known)


def _triple(known: Knowledge) -> None:
    _need(known, "item_id", "relation")
    _refuse(known, _OF_RULES)
    if known.object is None and known.value is None:
        raise InvalidEventError(
            "missing_field", "object and value are both missing: a triple leads to an item or value"
        )
    if known.object is not None and known.value is not None:
        raise InvalidEventError(
            "unexpected_field", "a triple has an object or a value, not both: send two"
        )
    if known.object == known.item_id:
        raise InvalidEventError("unexpected_field", "object is item_id itself: a triple is of two")


def _rule(known: Knowledge) -> None:
    _need(known, "rule_id")
    _refuse(known, _OF_TRIPLES)
    if known.deleted:
        return
    if (known.relation is None) is not (known.value is None):
        _need(known, "relation", "value")
    if known.category is None and known.relation is None:
        raise InvalidEventError(
            "missing_field",
            "category is missing, and so are relation and value: a rule needs one of them",
        )
    if known.category is not None and known.relation is not None:
        raise InvalidEventError(
            "unexpected_field", "a rule has a category, or relation and value, not both: send two"
        )


def _need(known: Knowledge, *names: str) -> None:
    for name in names:
        if getattr(known, name) is None:
            raise InvalidEventError("missing_field", f"{name} is missing, {known.kind} needs it")


def _refuse(known: Knowledge, names: tuple[str, ...]) -> None:
    for name in names:
        if getattr(known, name) not in (None, ()):
            raise InvalidEventError(
                "unexpected_field", f"{name} has no meaning for {known.kind}: leave it out"
            )
