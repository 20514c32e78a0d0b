"""A user's list, a request for one, and forgetting a user."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.topics.send import Parcel
from tests.gateway.served import APP, InMemory, a_list, ask
from upwell.codec import confirmation_value, dead_letter_value, recommendations_value
from upwell.events import Topic
from upwell.recommendations import Confirmation, DeadLetter, Entry, Reason, Recommendations


def answering(gateway: InMemory) -> None:
    """Serve's part: a list for each request, behind its acknowledgement."""

    def listed(parcel: Parcel, place: str) -> None:
        value = orjson.loads(parcel.value)
        if parcel.topic is Topic.REQUESTS:
            found = a_list(value["user_id"], value["request_id"])
            gateway.waiting.answered(value["user_id"], found)

    gateway.out.on_parcel = listed


def test_the_newest_list_is_what_serve_published() -> None:
    gateway = InMemory()
    gateway.newest.put("ann", 1, a_list("ann"))
    answer = ask(gateway, "GET", "/v1/users/ann/list", APP)
    assert (answer.status_code, answer.content) == (200, a_list("ann"))
    assert answer.headers["content-type"] == "application/json"


EXPLAINED = Recommendations(
    list_id="l",
    user_id="ann",
    items=(
        Entry(
            item_id="i",
            score=1.0,
            reasons=(Reason(signal="covisitation", weight=1.0, because="Heat"),),
        ),
    ),
    model_version="1-a",
    trigger="t",
    covers={},
    ts=1,
    latency_ms=1,
)


@pytest.mark.parametrize(("language", "word"), [("en", "Because"), ("de", "Weil")])
def test_entries_explain_themselves_in_a_language(language: str, word: str) -> None:
    gateway = InMemory()
    gateway.newest.put("ann", 1, recommendations_value(EXPLAINED))
    plain = ask(gateway, "GET", "/v1/users/ann/list", APP).json()
    told = ask(gateway, "GET", f"/v1/users/ann/list?lang={language}", APP).json()
    [sentence] = told["items"][0].pop("sentences")
    assert sentence.startswith(word)
    assert "Heat" in sentence
    assert told == plain


@pytest.mark.parametrize("language", ["xx", "../en", "en%00", "e" * 300])
@pytest.mark.parametrize("path", ["/v1/users/ann/list", "/v1/users/ann/events"])
def test_a_language_that_there_is_not_is_refused(path: str, language: str) -> None:
    gateway = InMemory()
    gateway.newest.put("ann", 1, recommendations_value(EXPLAINED))
    answer = ask(gateway, "GET", f"{path}?lang={language}", APP)
    assert (answer.status_code, answer.json()["reason"]) == (422, "unknown_language")


def test_where_there_is_none_it_says_what_to_do() -> None:
    answer = ask(InMemory(), "GET", "/v1/users/ann/list", APP)
    assert (answer.status_code, answer.json()["reason"]) == (404, "no_list")
    assert "?request=true" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "user_id"),
    [
        ("/v1/users/a%2Fb/list", "a/b"),
        ("/v1/users/a%20b%C3%A9/list", "a bé"),
        ("/v1/users/a%25b/list", "a%b"),
        ("/v1/users/list/list", "list"),
        ("/v1/users/x/events/list", "x/events"),
        ("/v1/users/a%3Fb/list", "a?b"),
    ],
)
def test_any_id_can_stand_in_the_path(path: str, user_id: str) -> None:
    gateway = InMemory()
    gateway.newest.put(user_id, 1, a_list("u"))
    assert ask(gateway, "GET", path, APP).status_code == 200


@pytest.mark.parametrize("path", ["/v1/users/%00/list", "/v1/users/%FF/list", "/v1/users//list"])
def test_what_is_no_id_is_refused(path: str) -> None:
    assert ask(InMemory(), "GET", path, APP).status_code == 422
    assert ask(InMemory(), "GET", f"/v1/users/{'x' * 257}/list", APP).status_code == 422


def test_with_request_a_list_is_asked_for() -> None:
    gateway = InMemory()
    answering(gateway)
    answer = ask(gateway, "GET", "/v1/users/ann/list?request=true", APP)
    [parcel] = gateway.out.parcels
    asked = orjson.loads(parcel.value)
    assert (parcel.topic, parcel.key) == (Topic.REQUESTS, b"ann")
    assert answer.json()["trigger"] == asked["request_id"] == asked["event_id"]
    gateway.newest.put("ann", 1, a_list("ann"))
    assert ask(gateway, "GET", "/v1/users/ann/list?request=true", APP).json()["trigger"] == "t"
    assert len(gateway.out.parcels) == 1


def test_a_request_says_what_is_wished() -> None:
    gateway = InMemory()
    answering(gateway)
    wish = {"k": 3, "category": "sf", "exclude": ["i1", "i2"], "surface": "kids"}
    assert ask(gateway, "POST", "/v1/users/ann/lists", APP, json=wish).status_code == 200
    asked = orjson.loads(gateway.out.parcels[0].value)
    assert {name: asked[name] for name in wish} == wish
    assert ask(gateway, "POST", "/v1/users/ann/lists", APP).status_code == 200


def test_the_newest_list_is_of_one_surface() -> None:
    gateway = InMemory()
    answering(gateway)
    gateway.newest.put("ann", 1, a_list("ann"))
    assert ask(gateway, "GET", "/v1/users/ann/list?surface=kids", APP).status_code == 404
    gateway.newest.put("ann", 2, a_list("ann", "on kids"), "kids")
    found = ask(gateway, "GET", "/v1/users/ann/list?surface=kids", APP)
    assert found.json()["trigger"] == "on kids"
    assert ask(gateway, "GET", "/v1/users/ann/list", APP).json()["trigger"] == "t"
    assert gateway.out.parcels == []
    path = "/v1/users/ann/list?surface=mail&request=true"
    assert ask(gateway, "GET", path, APP).status_code == 200
    assert orjson.loads(gateway.out.parcels[0].value)["surface"] == "mail"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/users/ann/lists"), ("GET", "/v1/users/ann/list?request=1")]
)
def test_a_request_goes_on_with_its_callers_trace(method: str, path: str) -> None:
    gateway = InMemory()
    answering(gateway)
    trace = f"00-{1:032x}-{2:016x}-01"
    assert ask(gateway, method, path, APP, headers={"traceparent": trace}).status_code == 200
    assert gateway.out.parcels[0].trace == (("traceparent", trace.encode()),)


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"k": 200}, "out_of_range"),
        ({"k": "3"}, "wrong_type"),
        ({"exclude": "i1"}, "wrong_type"),
        ({"surface": 7}, "wrong_type"),
        ({"surface": "x" * 300}, "too_long"),
        ({"limit": 3}, "unexpected_field"),
        ([], "not_an_object"),
    ],
)
def test_what_no_request_may_say_is_answered_and_never_sent(wish: Any, reason: str) -> None:
    gateway = InMemory()
    answer = ask(gateway, "POST", "/v1/users/ann/lists", APP, json=wish)
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)
    assert gateway.out.parcels == []


def test_a_dead_letter_about_the_request_is_the_answer() -> None:
    gateway = InMemory()

    def refuse(parcel: Parcel, place: str) -> None:
        topic, partition, offset = place.split("-")
        letter = DeadLetter(
            reason="out_of_range", detail="k is 7", topic=topic, partition=int(partition),
            offset=int(offset), raw=parcel.value, ts=1,
        )  # fmt: skip
        gateway.waiting.refused(dead_letter_value(letter))

    gateway.out.on_parcel = refuse
    answer = ask(gateway, "POST", "/v1/users/ann/lists?timeout=60", APP, json={"k": 7})
    assert answer.status_code == 422
    assert answer.json() == {
        "reason": "out_of_range",
        "detail": "k is 7",
        "dead_letter": "requests-0-0",
    }


def test_no_answer_in_time_is_said_so_and_the_request_stands() -> None:
    gateway = InMemory()
    answer = ask(gateway, "POST", "/v1/users/ann/lists?timeout=0", APP, json={})
    assert (answer.status_code, answer.json()["reason"]) == (504, "no_answer")
    sent = orjson.loads(gateway.out.parcels[0].value)
    assert answer.json()["request_id"] == sent["request_id"]
    gateway.out.lost = True
    answer = ask(gateway, "POST", "/v1/users/ann/lists", APP, json={})
    assert (answer.status_code, answer.json()["reason"]) == (503, "not_acknowledged")


def test_forgetting_is_an_operators_and_is_confirmed() -> None:
    gateway = InMemory()

    def confirm(parcel: Parcel, place: str) -> None:
        value = orjson.loads(parcel.value)
        confirmed = Confirmation(
            user_id="ann", event_id=value["event_id"], removed={"state": 1}, remains=(), ts=1
        )
        gateway.waiting.answered("ann", confirmation_value(confirmed))

    gateway.out.on_parcel = confirm
    assert ask(gateway, "DELETE", "/v1/users/ann", APP).status_code == 403
    assert gateway.out.parcels == []
    answer = ask(gateway, "DELETE", "/v1/users/ann?why=asked%20by%20mail&by=eve")
    [parcel] = gateway.out.parcels
    value = orjson.loads(parcel.value)
    assert (parcel.topic, parcel.key) == (Topic.CONTROLS, b"ann")
    assert (value["kind"], value["why"], value["by"]) == ("forget_user", "asked by mail", "eve")
    assert answer.status_code == 200
    assert (answer.json()["event_id"], answer.json()["removed"]) == (
        value["event_id"],
        {"state": 1},
    )


def test_a_forgetting_that_is_not_confirmed_stands() -> None:
    gateway = InMemory()
    answer = ask(gateway, "DELETE", "/v1/users/ann?timeout=0")
    assert answer.status_code == 202
    assert answer.json()["event_id"] == orjson.loads(gateway.out.parcels[0].value)["event_id"]


def test_waiters_are_gone_when_nobody_waits() -> None:
    gateway = InMemory()
    ask(gateway, "POST", "/v1/users/ann/lists?timeout=0", APP, json={})
    assert gateway.waiting._lists == {}
