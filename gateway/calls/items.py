"""Items for whoever has no user id: similar ones, popular ones, new ones, those with some words in
their titles.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gateway.calls.call import Answers, Parameter, array, call, reference
from gateway.edge.reading import number, path_id, text
from gateway.edge.refusals import Refused, json_response
from gateway.parts import Parts

__all__ = ["CALLS"]

LIST_K = 10
K = Parameter("k", "how many", {"type": "integer", "minimum": 1, "maximum": 100})
CATEGORY = Parameter("category", "only of this one", {"type": "string"})
WORDS = Parameter("query", "the words", {"type": "string"}, required=True)
SHOWN: Answers = {
    200: (
        "best first",
        {
            "type": "object",
            "required": ["items", "model_version"],
            "properties": {
                "items": array(reference("Entry")),
                "model_version": {"type": "string"},
            },
        },
    )
}


@call("GET", "/v1/items", query=[WORDS, K], answers=SHOWN)
async def search_items(parts: Parts, request: Request) -> Response:
    """Items whose titles are written like some words."""
    words, k = text(request, "query"), _k(request)
    if not words:
        raise Refused(422, "missing_field", "query is missing")
    return json_response(await run_in_threadpool(parts.items.search, words, k))


@call(
    "GET",
    "/v1/items/{item_id}/similar",
    query=[K],
    answers={**SHOWN, 404: ("nobody announced the item", reference("Refusal"))},
)
async def similar_items(parts: Parts, request: Request) -> Response:
    """Items that the same people liked, and that read alike."""
    item_id, k = path_id(request, "item_id"), _k(request)
    return json_response(await run_in_threadpool(parts.items.similar, item_id, k))


@call("GET", "/v1/popular", query=[K, CATEGORY], answers=SHOWN)
async def popular_items(parts: Parts, request: Request) -> Response:
    """What somebody is shown of whom nothing is known."""
    k, category = _k(request), text(request, "category")
    return json_response(await run_in_threadpool(parts.items.popular, k, category))


@call("GET", "/v1/newest", query=[K, CATEGORY], answers=SHOWN)
async def newest_items(parts: Parts, request: Request) -> Response:
    """What was announced or changed last."""
    k, category = _k(request), text(request, "category")
    return json_response(await run_in_threadpool(parts.items.newest, k, category))


def _k(request: Request) -> int:
    return number(request, "k", LIST_K, 1, 100)


CALLS = (search_items, similar_items, popular_items, newest_items)
