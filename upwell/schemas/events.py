"""JSON Schemas (2020-12) of the events that apps write, made of the very checks that read them.

A schema takes what `parse_event` takes, but for what JSON Schema cannot say, which each names in
its `$comment`: that 1.0 is no whole number, that a time is not ahead of our clock, that two lists
are of one length, that two ids differ, and that whole numbers have 64 bits.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import MISSING, fields
from itertools import combinations
from typing import Any

from upwell.controls import OF_QUARANTINE, RULES, SCOPES, WITH_BOOST
from upwell.events import Action, ControlKind, Topic, type_of_topic
from upwell.fields import WORDS, schema_of
from upwell.knowledge import KnowledgeKind
from upwell.schema import CHECKS, EARLIEST_MS, VERSION

__all__ = ["DIALECT", "EVENT_TOPICS", "Schema", "event_schema", "schema_id"]

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EVENT_TOPICS = tuple(type_of_topic)

_TIME: Schema = {
    "description": "when it happened, UTC milliseconds since 1970; 0 where it is not known",
    "type": "integer",
    "anyOf": [{"const": 0}, {"minimum": EARLIEST_MS}],
}
_VERSION: Schema = {
    "description": "of the events' meaning; left out it is 1",
    "type": ["integer", "null"],
    "minimum": 1,
    "maximum": VERSION,
}
_NEVER_SAID: dict[Topic, str] = {
    Topic.IMPRESSIONS: "propensities has as many entries as item_ids",
    Topic.CONTROLS: "from_user is not user_id, until_ts is after from_ts",
    Topic.KNOWLEDGE: "object is not item_id",
}
_OF_WORDS = ("text", "query")
_COMMENT = (
    "refused too, and not said here: a whole number that is written 1.0, or needs more than 64 "
    "bits; a ts more than 24 hours ahead of Upwell's clock"
)


def schema_id(name: str) -> str:
    """Of the file in docs/schemas."""
    return f"{name}.schema.json"


def event_schema(topic: Topic) -> Schema:
    """Of the events of one topic of `EVENT_TOPICS`. Fields that it does not name may be there: they
    are kept out and counted.
    """
    kind = type_of_topic[topic]
    needed = [one.name for one in fields(kind) if one.default is MISSING]
    comment = "; ".join(filter(None, (_COMMENT, _NEVER_SAID.get(topic))))
    return {
        "$schema": DIALECT,
        "$id": schema_id(topic),
        "title": kind.__name__,
        "description": inspect.cleandoc(kind.__doc__ or ""),
        "$comment": comment,
        "type": "object",
        "required": needed,
        "properties": {
            "ts": _TIME,
            "v": _VERSION,
            **{
                name: schema_of(check) if name in needed else _or_null(schema_of(check))
                for name, check in CHECKS[topic].items()
            },
        },
        **_AGREEMENTS.get(topic, {}),
    }


def _or_null(schema: Schema) -> Schema:
    """null counts as absent; of an item it takes away what was there."""
    found = {**schema, "type": [schema["type"], "null"]}
    return found | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})


def _given(name: str) -> Schema:
    """Something is said in this field: neither null nor empty, and of words not only blanks."""
    if name in _OF_WORDS:
        return {"required": [name], "properties": {name: {"type": "string", "pattern": WORDS}}}
    said = {"not": {"enum": [None, ""]}}
    return {"required": [name], "properties": {name: said}}


def _absent(name: str) -> Schema:
    if name in _OF_WORDS:
        return {"not": _given(name)}
    return {"properties": {name: {"enum": [None, ""]}}}


def _when(name: str, values: list[Any], then: list[Schema], otherwise: list[Schema]) -> Schema:
    return {
        "if": {"required": [name], "properties": {name: {"enum": values}}},
        "then": {"allOf": then} if then else {},
        "else": {"allOf": otherwise} if otherwise else {},
    }


def _kind(kind: ControlKind) -> Schema:
    return {"required": ["kind"], "properties": {"kind": {"const": str(kind)}}}


def _controls() -> Iterator[Schema]:
    """What each kind needs and may not have, then how an override's fields go together."""
    for kind, rule in RULES.items():
        then = [*map(_given, rule.needs), *map(_absent, rule.none)]
        yield {"if": _kind(kind), "then": {"allOf": then}}
    override = ControlKind.OVERRIDE
    some = [_given(name) for name in SCOPES]
    pairs = [{"not": {"allOf": list(two)}} for two in combinations(some, 2)]
    unasked = {"anyOf": [_given("query"), _absent("match")]}
    above = {"properties": {"boost": {"exclusiveMinimum": 0}}}
    amounts = _when(
        "decision", [str(one) for one in WITH_BOOST], [_given("boost"), above], [_absent("boost")]
    )
    everyone = _when(
        "decision", [str(one) for one in OF_QUARANTINE], [{"not": one} for one in some], []
    )
    yield {"if": _kind(override), "then": {"allOf": [*pairs, unasked, amounts, everyone]}}


_ONE_SIDE: Schema = {
    "oneOf": [
        {"allOf": [_given("category"), _absent("relation"), _absent("value")]},
        {"allOf": [_absent("category"), _given("relation"), _given("value")]},
    ]
}
_OF_TRIPLES: list[Schema] = [
    *(_given("item_id"), _given("relation")),
    {"oneOf": [_given("object"), _given("value")]},
    *map(_absent, ("rule_id", "category", "months", "within")),
]
_OF_RULES: list[Schema] = [
    *(_given("rule_id"), _absent("item_id"), _absent("object")),
    _when("deleted", [True], [], [_ONE_SIDE]),
]
_AGREEMENTS: dict[Topic, Schema] = {
    Topic.CLICKS: _when(
        "action", [str(Action.PLAY)], [], [{"properties": {"completion": {"type": "null"}}}]
    ),
    Topic.REVIEWS: _when(
        "deleted",
        [True],
        [{"not": _given("rating")}, {"not": _given("text")}],
        [{"anyOf": [_given("rating"), _given("text")]}],
    ),
    Topic.CONTROLS: {"allOf": list(_controls())},
    Topic.KNOWLEDGE: _when("kind", [str(KnowledgeKind.TRIPLE)], _OF_TRIPLES, _OF_RULES),
}
