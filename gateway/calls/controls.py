"""Operators' words on items: what stands, by whom and why, and saying one."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gateway.calls.call import Schema, array, call, reference
from gateway.calls.events import send_events
from gateway.edge.auth import Caller, Role
from gateway.edge.middleware import CALLER
from gateway.edge.reading import json_object, path_id
from gateway.edge.refusals import JSON, Refused, json_response
from gateway.parts import Parts
from upwell.errors import InvalidEventError
from upwell.events import ControlKind, Topic
from upwell.system.clock import now_ms
from upwell.values import CatalogueItem

__all__ = ["CALLS"]

KINDS = tuple(
    str(kind)
    for kind in (
        ControlKind.PIN_ITEM,
        ControlKind.BAN_ITEM,
        ControlKind.BOOST_ITEM,
        ControlKind.CLEAR_ITEM,
    )
)
_WORD: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["kind", "why"],
    "properties": {
        "kind": {"enum": list(KINDS)},
        "why": {"type": "string", "minLength": 1, "maxLength": 1_000},
        "by": {
            "type": "string",
            "description": "who says so; needed where the token has no name, else that holds",
        },
        "boost": {"type": "number", "minimum": -10, "maximum": 10},
    },
}
_SAID: Schema = {
    "type": "object",
    "required": ["kind", "by", "why", "at"],
    "properties": {
        "kind": {"enum": list(KINDS)},
        "boost": {"type": ["number", "null"]},
        "by": {"type": "string"},
        "why": {"type": "string"},
        "at": {"type": "integer", "description": "UTC ms"},
    },
}
_STANDING: Schema = {
    "type": "object",
    "required": ["items"],
    "properties": {
        "items": array(
            {
                "type": "object",
                "required": ["item_id", "title", "banned", "blocked", "pinned", "boost", "words"],
                "properties": {
                    "item_id": {"type": "string"},
                    "title": {"type": "string"},
                    "banned": {"type": "boolean"},
                    "blocked": {"type": "string"},
                    "pinned": {"type": "boolean"},
                    "boost": {"type": "number"},
                    "words": array(_SAID),
                },
            }
        )
    },
}


@call(
    "GET",
    "/v1/controls",
    role=Role.OPERATOR,
    answers={200: ("items with what holds of them, and who said so", _STANDING)},
)
async def standing_controls(parts: Parts, request: Request) -> Response:
    """What operators' words on items come to at present, by whom and why.

    Of words that the topic does not keep any more there is nobody and no reason.
    """
    governed = await run_in_threadpool(parts.items.governed)
    return json_response({"items": [_standing(parts, item) for item in governed]})


@call(
    "POST",
    "/v1/items/{item_id}/controls",
    role=Role.OPERATOR,
    body={JSON: _WORD},
    answers={
        202: ("Kafka has it; it holds from the next lists on", {"type": "object"}),
        404: ("nobody announced the item", reference("Refusal")),
    },
)
async def govern_item(parts: Parts, request: Request) -> Response:
    """Pin, ban or boost an item, or clear what was said of it."""
    item_id, word = path_id(request, "item_id"), await json_object(request)
    if unknown := word.keys() - _WORD["properties"].keys():
        known = ", ".join(_WORD["properties"])
        detail = f"a word has {known}; {len(unknown)} other fields were given"
        raise InvalidEventError("unexpected_field", detail)
    if word.get("kind") not in KINDS:
        raise InvalidEventError("unknown_value", f"kind must be one of {', '.join(KINDS)}")
    if await run_in_threadpool(parts.items.item, item_id) is None:
        raise Refused(404, "unknown_item", "no item of this id was announced")
    event = {"topic": Topic.CONTROLS, "item_id": item_id, **word, **_by(request.scope[CALLER])}
    sent = await send_events(
        orjson.dumps(event), JSON, Role.OPERATOR, now_ms(), parts.users.sender, parts.meter
    )
    return json_response({"event_id": sent["event_ids"][0]}, 202)


def _by(caller: Caller) -> dict[str, str]:
    """Nobody speaks in another's name."""
    return {} if caller.who is None else {"by": caller.who}


def _standing(parts: Parts, item: CatalogueItem) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "title": item.title,
        "banned": item.banned,
        "blocked": item.blocked,
        "pinned": item.pinned,
        "boost": item.boost,
        "words": parts.words.of(item.item_id),
    }


CALLS = (standing_controls, govern_item)
