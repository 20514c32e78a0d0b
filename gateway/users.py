"""A user's newest list, a list that is asked for, and forgetting a user: what HTTP calls of one
user come to. It knows nothing about HTTP but how a refusal is called.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway.edge.refusals import Refused
from gateway.topics.newest import NewestLists
from gateway.topics.send import Parcel, Sender
from gateway.topics.waiting import Waiting
from upwell.codec import parse_recommendations
from upwell.errors import InvalidEventError, SettingsError
from upwell.events import ControlKind, Event, Topic
from upwell.reasons import Sentences
from upwell.recommendations import DeadLetter
from upwell.schema import key_of, parse_event, topic_of
from upwell.system.trace_context import Headers

__all__ = ["Users", "Worded"]


class Worded:
    """Lists with sentences for people beside each entry's shares. file: an app's own table."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._sentences: dict[str, Sentences] = {}

    def check(self, language: str) -> None:
        """Raises `InvalidEventError` for a language that there is no table of."""
        try:
            if language not in self._sentences:
                self._sentences[language] = Sentences(language, self._file)
        except SettingsError as exc:
            raise InvalidEventError("unknown_language", f"lang: {exc}") from exc

    def say(self, value: bytes, language: str | None) -> bytes:
        """The JSON of a list with `sentences` in each entry; as it was without a language, which
        has been checked.
        """
        if language is None:
            return value
        of = self._sentences[language].of
        entries = parse_recommendations(value).items
        whole: dict[str, Any] = orjson.loads(value)
        for one, entry in zip(whole["items"], entries, strict=True):
            one["sentences"] = of(entry)
        return orjson.dumps(whole)


@dataclass(frozen=True, slots=True)
class Users:
    """What is known of users, and how more is asked."""

    newest: NewestLists
    waiting: Waiting
    sender: Sender

    def newest_list(self, user_id: str, surface: str | None = None) -> bytes:
        """Its JSON. Raises `Refused` (404)."""
        found = self.newest.get(user_id, surface)
        if found is None:
            raise Refused(
                404,
                "no_list",
                "no list of this user is held: nothing was recommended to them (on this surface) "
                "since the topic's retention began, they were forgotten, or others came since "
                "(UPWELL_GATEWAY_USERS); with ?request=true one is made",
            )
        return found

    async def requested_list(
        self,
        user_id: str,
        wish: Mapping[str, Any],
        now_ms: int,
        patience: float,
        trace: Headers = (),
    ) -> bytes:
        """The JSON of the list that answers a request. wish: k, category, exclude,
        surface, where given. trace: that it goes on with.

        Raises `InvalidEventError` for what no request may say, `Refused` where serve refused it
        (422) or nothing came in time (504).
        """
        name = uuid.uuid4().hex
        event = {"event_id": name, "ts": now_ms, "user_id": user_id, "request_id": name, **wish}
        answer = await self._answer(Topic.REQUESTS, event, name, now_ms, patience, trace)
        if answer is None:
            raise Refused(
                504,
                "no_answer",
                f"no list came within {patience:g} s: does a serve worker run on this broker? The "
                "request stands; its list will be the user's newest",
                {"request_id": name},
            )
        return answer

    async def forget(
        self, user_id: str, by: str, why: str, now_ms: int, patience: float
    ) -> tuple[int, Any]:
        """Status and answer: 200 with what was removed and what remains, 202 where that was not
        confirmed in time: the request stands.

        Raises `InvalidEventError`, `Refused`.
        """
        name = uuid.uuid4().hex
        event = {
            "event_id": name,
            "ts": now_ms,
            "kind": ControlKind.FORGET_USER.value,
            "user_id": user_id,
            "by": by,
            "why": why,
        }
        answer = await self._answer(Topic.CONTROLS, event, name, now_ms, patience)
        if answer is None:
            told = {
                "event_id": name,
                "detail": f"not confirmed within {patience:g} s: the request stands, and is "
                "carried out once serve and learn run",
            }
            return 202, told
        return 200, orjson.Fragment(answer)

    async def _answer(
        self,
        topic: Topic,
        value: dict[str, Any],
        name: str,
        now_ms: int,
        patience: float,
        trace: Headers = (),
    ) -> bytes | None:
        """What comes for the event of this name, None where nothing does in time."""
        event: Event = parse_event(topic, value, now_ms=now_ms)
        assert topic_of(event) is topic
        with self.waiting.expect(value["user_id"], name) as future:
            parcel = Parcel(topic, key_of(event).encode(), orjson.dumps(value), trace)
            [place] = await self.sender.send([parcel])
            if place is None and not future.done():
                raise Refused(
                    503,
                    "not_acknowledged",
                    "Kafka did not acknowledge the request in time; it may stand there all the "
                    "same",
                    {"event_id": name},
                )
            if place is not None:
                self.waiting.stands_at(place, future)
            await asyncio.wait({future}, timeout=patience)
            answer = future.result() if future.done() else None
        if isinstance(answer, DeadLetter):
            raise Refused(422, answer.reason, answer.detail, {"dead_letter": answer.place})
        return answer
