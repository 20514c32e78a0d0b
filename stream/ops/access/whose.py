"""Which records are a user's: by the app's ids where apps write, by pseudonyms where Upwell does.
It knows nothing about Kafka.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from stream.chain.effects import Erasure
from stream.chain.merge.message import decode_message
from stream.chain.validate import load_json
from stream.chain.wire import decode_examples, decode_rerouted
from upwell.errors import InvalidEventError
from upwell.events import Topic, type_of_topic
from upwell.uses.topics import UseTopic
from upwell.values import Example

__all__ = ["LOOKED_AT", "Whose", "json_ready"]

BY_APPS = tuple(topic for topic in type_of_topic if topic is not Topic.ITEMS)
BY_ID: tuple[Topic | UseTopic, ...] = (
    *BY_APPS,
    Topic.RECOMMENDATIONS,
    Topic.CONFIRMATIONS,
    UseTopic.QUESTIONS,
    UseTopic.ANSWERS,
    UseTopic.POSTS,
)
LOOKED_AT = (*BY_ID, Topic.REROUTED, Topic.DEAD_LETTERS, Topic.EXAMPLES)
"""All topics on which something of a user may stand."""
MOST_BYTES = 64 << 20
"""Of a value: what a topic took is read, however large."""


@dataclass(frozen=True, slots=True)
class Whose:
    """ids: the app's, of the user and of their guests. names: the pseudonyms of all of them."""

    ids: frozenset[str]
    names: frozenset[str]

    def theirs(self, topic: Topic | UseTopic, value: bytes | None) -> list[Any]:
        """What of a record is the user's, JSON-ready; several examples may stand in one."""
        if value is None:
            return []
        if topic in BY_ID:
            return self._by_id(value)
        if topic is Topic.REROUTED:
            return self._rerouted(value)
        if not any(name.encode() in value for name in self.names):
            return []
        if topic is Topic.EXAMPLES:
            return self._examples(value)
        letter = _object(value)
        return [letter] if letter.get("user") in self.names else []

    def _by_id(self, value: bytes) -> list[Any]:
        found = _object(value)
        whose = {_text(found.get("user_id")), _text(found.get("from_user"))}
        return [found] if whose & self.ids else []

    def _rerouted(self, value: bytes) -> list[Any]:
        message = decode_message(value)
        if message is None:
            topic, event = decode_rerouted(value)
            return [{"topic": str(topic), "value": one} for one in self._by_id(event)]
        names = {message.user, getattr(message, "guest", None)}
        if not names & self.names:
            return []
        return [{"message": type(message).__name__.lower(), "value": json_ready(message)}]

    def _examples(self, value: bytes) -> list[Any]:
        found = decode_examples(value)
        rows: list[Example | Erasure] = [found] if isinstance(found, Erasure) else [*found]
        return [
            {"kind": type(one).__name__.lower(), **json_ready(one)}
            for one in rows
            if one.user in self.names
        ]


def json_ready(value: Any) -> Any:
    """A value of Upwell's own as objects, lists, numbers and text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: json_ready(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, np.ndarray):
        return [round(float(number), 6) for number in value]
    if isinstance(value, Mapping):
        return {str(name): json_ready(one) for name, one in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return [json_ready(one) for one in value]
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return value


def _object(value: bytes) -> dict[str, Any]:
    """Empty where it is none: what is no event is a dead letter elsewhere."""
    try:
        found = load_json(value, limit=MOST_BYTES)
    except InvalidEventError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
