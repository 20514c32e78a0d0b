"""Items for whoever has no user id: similar ones, popular ones, new ones, those with some words in
their titles. The calls, what they ask of the model, and what that answers with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gateway.openapi import Call, Parameter, reference
from gateway.reading import number, path_id, text
from gateway.refusals import Refused, json_response
from upwell.recommendations import Entry

__all__ = ["Ranked", "Ranks", "item_calls"]

LIST_K = 10


@dataclass(frozen=True, slots=True)
class Ranked:
    """Best first; each entry with its reasons, where its place has any."""

    items: tuple[Entry, ...]
    model_version: str


class Ranks(Protocol):
    """What knows the catalogue and the counts. Called from any thread; may block for milliseconds.

    `similar` raises `Refused` (404) where nobody announced the item. What is banned or deleted
    never comes.
    """

    def similar(self, item_id: str, k: int) -> Ranked: ...

    def popular(self, k: int, category: str | None) -> Ranked: ...

    def newest(self, k: int, category: str | None) -> Ranked: ...

    def search(self, words: str, k: int) -> Ranked: ...


def item_calls(items: Ranks) -> list[Call]:
    """Those that ask no user."""
    shown = {200: ("best first", _ITEMS)}
    return [
        Call(
            method="GET",
            path="/v1/items",
            name="searchItems",
            does="Items whose titles are written like some words",
            handler=partial(_search, items),
            query=[Parameter("query", "the words", {"type": "string"}, required=True), _K],
            answers=shown,
        ),
        Call(
            method="GET",
            path="/v1/items/{item_id}/similar",
            name="similarItems",
            does="Items that the same people liked, and that read alike",
            handler=partial(_similar, items),
            query=[_K],
            answers={**shown, 404: ("nobody announced the item", reference("Refusal"))},
        ),
        Call(
            method="GET",
            path="/v1/popular",
            name="popularItems",
            does="What somebody is shown of whom nothing is known",
            handler=partial(_popular, items),
            query=[_K, _CATEGORY],
            answers=shown,
        ),
        Call(
            method="GET",
            path="/v1/newest",
            name="newestItems",
            does="What was announced or changed last",
            handler=partial(_newest_items, items),
            query=[_K, _CATEGORY],
            answers=shown,
        ),
    ]


async def _search(items: Ranks, request: Request) -> Response:
    words, k = text(request, "query"), _k(request)
    if not words:
        raise Refused(422, "missing_field", "query is missing")
    return json_response(await run_in_threadpool(items.search, words, k))


async def _similar(items: Ranks, request: Request) -> Response:
    item_id, k = path_id(request, "item_id"), _k(request)
    return json_response(await run_in_threadpool(items.similar, item_id, k))


async def _popular(items: Ranks, request: Request) -> Response:
    k, category = _k(request), text(request, "category")
    return json_response(await run_in_threadpool(items.popular, k, category))


async def _newest_items(items: Ranks, request: Request) -> Response:
    k, category = _k(request), text(request, "category")
    return json_response(await run_in_threadpool(items.newest, k, category))


def _k(request: Request) -> int:
    return number(request, "k", LIST_K, 1, 100)


_K = Parameter("k", "how many", {"type": "integer", "minimum": 1, "maximum": 100})
_CATEGORY = Parameter("category", "only of this one", {"type": "string"})
_ITEMS: dict[str, Any] = {
    "type": "object",
    "required": ["items", "model_version"],
    "properties": {
        "items": {"type": "array", "items": reference("Entry")},
        "model_version": {"type": "string"},
    },
}
