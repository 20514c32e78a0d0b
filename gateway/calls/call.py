"""How a call is declared: a handler, with its path and what it takes and answers.

@call("GET", "/v1/popular", query=[K, CATEGORY], answers=SHOWN)
async def popular_items(parts: Parts, request: Request) -> Response:
    \"\"\"What somebody is shown of whom nothing is known.\"\"\"
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from gateway.edge.auth import Role
from gateway.parts import Parts

__all__ = ["Answers", "Call", "Handler", "Parameter", "Schema", "array", "call", "reference"]

Handler = Callable[[Parts, Request], Awaitable[Response | ASGIApp]]
Method = Literal["GET", "POST", "DELETE"]
Schema = dict[str, Any]
Answers = Mapping[int, tuple[str, Schema | None]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """Of the query. schema: JSON Schema of its value."""

    name: str
    does: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call. path: ids in braces. body: media type to schema. answers: status to what it means
    and the schema of its JSON, None for another body or none.
    """

    method: Method
    path: str
    name: str
    does: str
    handler: Handler
    role: Role
    query: Sequence[Parameter]
    body: Mapping[str, Schema]
    answers: Answers


def call(
    method: Method,
    path: str,
    *,
    answers: Answers,
    role: Role = Role.APP,
    query: Sequence[Parameter] = (),
    body: Mapping[str, Schema] | None = None,
) -> Callable[[Handler], Call]:
    """A handler becomes a call: named as the function, and described by the first paragraph of its
    docstring.
    """

    def declared(handler: Handler) -> Call:
        first, *others = handler.__name__.split("_")
        name = first + "".join(word.title() for word in others)
        told = (inspect.getdoc(handler) or "").partition("\n\n")[0]
        does = " ".join(told.split()).removesuffix(".")
        return Call(method, path, name, does, handler, role, query, body or {}, answers)

    return declared


def reference(name: str) -> Schema:
    """To one of the document's schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(of: Schema) -> Schema:
    """A list of such."""
    return {"type": "array", "items": of}
