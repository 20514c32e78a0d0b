"""The document is valid OpenAPI 3.1, tells every call, and is true of what is answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.app import CALLS, application
from gateway.edge.auth import Gatekeeper, Role
from gateway.openapi import schema_of
from tests.gateway.served import APP, OPERATOR, InMemory, a_list, an_item, ask
from tests.upwell.strategies import events
from upwell.codec import recommendations_value
from upwell.events import Control, ControlKind
from upwell.recommendations import Entry, Reason, Recommendations
from upwell.schema import event_value

PIN = Control(event_id="e", ts=1, kind=ControlKind.PIN_ITEM, by="ann", why="a season", item_id="i1")


def document() -> dict[str, Any]:
    found: dict[str, Any] = ask(InMemory(), "GET", "/openapi.json", None).json()
    return found


DOCUMENT = document()


def check(value: object, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(
        value
    )


def answer_schema(method: str, path: str, status: int) -> dict[str, Any]:
    answer = DOCUMENT["paths"][path][method.lower()]["responses"][str(status)]
    found: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return found


def test_it_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    assert DOCUMENT["openapi"] == "3.1.0"


def test_what_is_no_openapi_is_noticed() -> None:
    assert list(OpenAPIV31SpecValidator({**DOCUMENT, "info": {}}).iter_errors())


def test_every_call_is_told_once_with_its_role() -> None:
    told = {
        (method.upper(), path, one.get("description"))
        for path, methods in DOCUMENT["paths"].items()
        for method, one in methods.items()
    }
    names = [one.name for one in CALLS]
    assert len(names) == len(set(names))
    assert {
        (one.method, one.path, f"role: {one.role.name.lower()}" if one.role else None)
        for one in CALLS
    } == told
    assert {path for _, path, role in told if role is None} == {
        "/healthz",
        "/readyz",
        "/openapi.json",
    }


@pytest.mark.parametrize("call", [one for one in CALLS if one.role], ids=lambda call: call.name)
def test_every_call_is_routed_and_kept_from_who_may_not(call: Any) -> None:
    path = call.path.format(user_id="ann", item_id="i1", letter_id="clicks-0-7", version_id="7-abc")
    gateway = InMemory(patience=0.0)
    gateway.newest.put("ann", 1, a_list("ann"))
    assert ask(gateway, call.method, path, None).status_code == 401
    if call.role is Role.OPERATOR:
        assert ask(gateway, call.method, path, APP).status_code == 403
    assert ask(gateway, "PUT", path, OPERATOR).status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "said", "status"),
    [
        ("POST", "/v1/events", [{"topic": "queries", "user_id": "a", "text": "x"}, 5], 202),
        ("POST", "/v1/events", [5], 422),
        ("GET", "/v1/users/{user_id}/list", None, 200),
        ("GET", "/v1/items/{item_id}/similar", None, 200),
        ("GET", "/v1/popular", None, 200),
        ("GET", "/v1/newest", None, 200),
        ("GET", "/v1/caller", None, 200),
        ("GET", "/healthz", None, 200),
        ("GET", "/readyz", None, 200),
    ],
)
def test_answers_are_as_the_document_says(method: str, path: str, said: Any, status: int) -> None:
    gateway = InMemory()
    gateway.newest.put("ann", 1, a_list("ann"))
    answer = ask(gateway, method, path.format(user_id="ann", item_id="i1"), APP, json=said)
    assert answer.status_code == status
    check(answer.json(), answer_schema(method, path, status))


@pytest.mark.parametrize("path", ["/v1/controls", "/v1/versions"])
def test_answers_for_operators_are_as_the_document_says(path: str) -> None:
    gateway = InMemory()
    gateway.ranks.its_governed = [an_item(pinned=True)]
    gateway.words.take(PIN, 5)
    answer = ask(gateway, "GET", path)
    assert answer.status_code == 200
    check(answer.json(), answer_schema("GET", path, 200))


def test_a_whole_list_is_as_the_document_says() -> None:
    entry = Entry(item_id="i", score=1.0, reasons=(Reason(signal="s", weight=1.0),))
    whole = Recommendations(
        list_id="l", user_id="u", items=(entry,), model_version="1-a", trigger="t",
        covers={"clicks-0": 7}, ts=1, latency_ms=2,
    )  # fmt: skip
    value = orjson.loads(recommendations_value(whole))
    schema = DOCUMENT["components"]["schemas"]["Recommendations"]
    check(value, schema)
    for name in schema["required"]:
        with pytest.raises(jsonschema.ValidationError):
            check({**value, name: object}, schema)


@given(events())
def test_the_schema_of_an_event_takes_every_event(event: Any) -> None:
    cleared = set(getattr(event, "cleared", ()))
    value = {name: one for name, one in event_value(event).items() if name not in cleared}
    schema = schema_of(type(event), {})
    assert jsonschema.Draft202012Validator(schema).is_valid(value)


def test_a_page_of_another_origin_is_let_in_where_it_is_named() -> None:
    def allowed(origins: str | None, origin: str) -> tuple[int, str | None]:
        gateway = InMemory()
        own = replace(gateway.settings, origins=origins)
        gateway.app = application(gateway.parts, own, Gatekeeper(own))
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = ask(gateway, "OPTIONS", "/v1/events", None, headers=asked)
        return answer.status_code, answer.headers.get("access-control-allow-origin")

    both = "https://shop.example, https://www.shop.example"
    assert allowed(both, "https://www.shop.example") == (200, "https://www.shop.example")
    assert allowed(both, "https://evil.example") == (400, None)
    assert allowed(None, "https://shop.example") == (401, None)
