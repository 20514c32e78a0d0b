"""The document is AsyncAPI by AsyncAPI's own schema (3.0.0 without ids, of npm's @asyncapi/specs
6.11.1, Apache-2.0), and names what there is.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator

from upwell.events import Topic
from upwell.schemas.__main__ import schema_files
from upwell.schemas.asyncapi import asyncapi
from upwell.schemas.events import EVENT_TOPICS
from upwell.schemas.outputs import OUTPUTS

FILE = Path(__file__).parent / "asyncapi-3.0.0.json.gz"
VALIDATOR = Draft7Validator(orjson.loads(gzip.decompress(FILE.read_bytes())))
DOCUMENT = asyncapi()


def faults(document: dict[str, Any]) -> list[str]:
    return [one.message for one in VALIDATOR.iter_errors(document)]


def test_it_is_asyncapi() -> None:
    assert faults(DOCUMENT) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"asyncapi": "9.0.0"},
        {"channels": {"clicks": {"adress": "upwell.clicks"}}},
        {"operations": {"x": {"action": "publish", "channel": {"$ref": "#/channels/clicks"}}}},
    ],
)
def test_what_is_none_is_noticed(wrong: dict[str, Any]) -> None:
    assert faults({**DOCUMENT, **wrong})


def resolved(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_each_topic_that_apps_know_is_a_channel_with_its_message() -> None:
    assert set(DOCUMENT["channels"]) == {*EVENT_TOPICS, *OUTPUTS}
    internal = {*Topic} - {*EVENT_TOPICS, *OUTPUTS}
    assert internal == {
        *("rerouted", "catalogue", "examples", "models", "metrics", "keys", "encoders"),
        *("overrides", "audit", "rules", "erasures", "quarantine"),
    }
    for operation in DOCUMENT["operations"].values():
        channel = resolved(operation["channel"]["$ref"])
        topic = Topic(channel["title"])
        assert channel["address"] == f"upwell.{topic}"
        assert operation["action"] == ("receive" if topic in EVENT_TOPICS else "send")
        [message] = [resolved(resolved(one["$ref"])["$ref"]) for one in operation["messages"]]
        file = message["payload"]["schema"]["$ref"].removeprefix("./")
        assert orjson.loads(schema_files()[file])["title"] == message["name"]
