"""The OpenAPI 3.1 document, made from the table of calls and from the types that they answer with:
what it says is what the code takes.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

from gateway.calls.call import Call, Schema, reference
from upwell.events import type_of_topic
from upwell.recommendations import Confirmation, Recommendations

__all__ = ["document", "schema_of"]

_PATH_NAMES = re.compile(r"{(\w+)}")

REFUSAL: Schema = {
    "type": "object",
    "required": ["reason", "detail"],
    "properties": {
        "reason": {"type": "string", "description": "a short stable name"},
        "detail": {"type": "string", "description": "a sentence for people"},
    },
}
_REFUSALS = {
    401: "no token that the gateway knows",
    403: "the token's role may not do this",
    413: "the body is too large",
    422: "what was asked is not right; the same reasons as of dead letters",
    429: "asked too often, or Kafka is slow; Retry-After says when to come again",
    503: "not ready, or Kafka did not acknowledge in time",
}


def document(calls: Sequence[Call], version: str) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call)
    schemas: dict[str, Schema] = {"Refusal": REFUSAL}
    for kind in (Recommendations, Confirmation, *type_of_topic.values()):
        schemas[kind.__name__] = schema_of(kind, schemas)
    schemas["Event"] = _event_schema()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Upwell's gateway",
            "version": version,
            "description": "Events in, recommendation lists out. docs/gateway.md, docs/events.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def schema_of(kind: Any, known: dict[str, Schema]) -> Schema:
    """The JSON Schema of a type as it stands in JSON. Dataclasses inside go to `known`, by name."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        one: Schema = {
            "type": "object",
            "description": " ".join((kind.__doc__ or "").split()),
            "properties": {
                part.name: _inner(hints[part.name], known)
                for part in fields(kind)
                if part.name != "cleared"  # told by a null in JSON
            },
        }
        needed = [part.name for part in fields(kind) if part.default is MISSING]
        return {**one, "required": needed} if needed else one
    return _inner(kind, known)


def _inner(kind: Any, known: dict[str, Schema]) -> Schema:
    origin, inside = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        known[kind.__name__] = schema_of(kind, known)
        return reference(kind.__name__)
    if isinstance(kind, types.UnionType) or origin is typing.Union:
        return {"anyOf": [_inner(one, known) for one in inside]}
    if origin is tuple:
        pair = get_args(inside[0])
        if len(pair) == 2 and pair[1] is not ...:  # of a name and what it is: an object
            return {"type": "object", "additionalProperties": _inner(pair[1], known)}
        return {"type": "array", "items": _inner(inside[0], known)}
    if origin is not None:  # Mapping[str, int], dict[str, int]
        return {"type": "object", "additionalProperties": _inner(inside[1], known)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"type": "string", "enum": [str(one.value) for one in kind]}
    plain = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    return {"type": plain[kind]}


def _event_schema() -> Schema:
    """Any event, told apart by its topic; `event_id` and `ts` may be left out over HTTP."""
    return {
        "type": "object",
        "required": ["topic"],
        "properties": {"topic": {"enum": [str(topic) for topic in type_of_topic]}},
        "description": "the JSON of docs/events.md with its topic; event_id and ts are made here "
        "where they are left out: "
        + ", ".join(f"{topic}: {kind.__name__}" for topic, kind in type_of_topic.items()),
    }


def _operation(call: Call) -> dict[str, Any]:
    names = _PATH_NAMES.findall(call.path)
    parameters: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]
    parameters += [
        {
            "name": one.name,
            "in": "query",
            "description": one.does,
            "schema": one.schema,
            "required": one.required,
        }
        for one in call.query
    ]
    operation: dict[str, Any] = {
        "operationId": call.name,
        "summary": call.does,
        "parameters": parameters,
        "responses": _responses(call),
    }
    if call.body:
        content = {media: {"schema": schema} for media, schema in call.body.items()}
        operation["requestBody"] = {"content": content}
    if call.role:
        operation["security"] = [{"token": []}]
        operation["description"] = f"role: {call.role.name.lower()}"
    return operation


def _responses(call: Call) -> dict[str, Any]:
    answers: dict[int, tuple[str, Schema | None]] = dict(call.answers)
    if call.role:
        for status, what in _REFUSALS.items():
            answers.setdefault(status, (what, reference("Refusal")))
    return {
        str(status): {
            "description": what,
            **({} if schema is None else {"content": {"application/json": {"schema": schema}}}),
        }
        for status, (what, schema) in sorted(answers.items())
    }
