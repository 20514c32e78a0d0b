"""JSON Schemas (2020-12) of what Upwell publishes, made of the values themselves: each field of a
dataclass by its type.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from upwell.events import Topic
from upwell.recommendations import Confirmation, DeadLetter, Recommendations
from upwell.schemas.events import DIALECT, Schema, schema_id

__all__ = ["OUTPUTS", "output_schema"]

OUTPUTS: dict[Topic, type] = {
    Topic.RECOMMENDATIONS: Recommendations,
    Topic.CONFIRMATIONS: Confirmation,
    Topic.DEAD_LETTERS: DeadLetter,
}
_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "contentEncoding": "base64"},
}


def output_schema(topic: Topic) -> Schema:
    """Of the records of one topic of `OUTPUTS`. All fields are there, and a newer engine may add
    some.
    """
    kinds: dict[str, Schema] = {}
    found = _of_values(OUTPUTS[topic], kinds)
    more = {"$defs": kinds} if kinds else {}
    return {"$schema": DIALECT, "$id": schema_id(topic), **found, **more}


def _of_values(kind: type, kinds: dict[str, Schema]) -> Schema:
    hints = get_type_hints(kind)
    names = [one.name for one in fields(kind)]
    return {
        "title": kind.__name__,
        "description": inspect.cleandoc(kind.__doc__ or ""),
        "type": "object",
        "required": names,
        "properties": {name: _of_type(hints[name], kinds) for name in names},
    }


def _of_type(hint: Any, kinds: dict[str, Schema]) -> Schema:
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        [known] = [one for one in parts if one is not type(None)]
        found = _of_type(known, kinds)
        return {**found, "type": [found["type"], "null"]}
    if origin is tuple:
        return {"type": "array", "items": _of_type(parts[0], kinds)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _of_type(parts[1], kinds)}
    if is_dataclass(hint) and isinstance(hint, type):
        if hint.__name__ not in kinds:
            kinds[hint.__name__] = {}  # its place, before those that it holds
            kinds[hint.__name__] = _of_values(hint, kinds)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    raise TypeError(f"{hint!r} is not known here")
