"""AsyncAPI 3 of the topics that apps write and read, made of the code. Internal topics are not in
it: they may change with any version.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from upwell.events import Topic
from upwell.schemas.events import EVENT_TOPICS, event_schema, schema_id
from upwell.schemas.outputs import OUTPUTS, output_schema
from upwell.settings import KafkaSettings

__all__ = ["asyncapi"]

SPEC = "3.0.0"
PREFIX = KafkaSettings().prefix
FORMAT = "application/schema+json;version=draft-2020-12"
BINDING = "0.5.0"
KEYS: dict[Topic, str] = {
    Topic.ITEMS: "item_id",
    Topic.CONTROLS: "user_id or item_id; of a merge from_user, of an override override_id",
    Topic.KNOWLEDGE: "item_id of a triple, rule_id of a rule",
    Topic.DEAD_LETTERS: "topic-partition-offset of the record that was no event",
}
"""Of the records of a topic; else `user_id`."""


def asyncapi() -> dict[str, Any]:
    """The document. Schemas are files beside it. Upwell receives events and sends the rest."""
    topics = (*EVENT_TOPICS, *OUTPUTS)
    return {
        "asyncapi": SPEC,
        "info": {
            "title": "Upwell",
            "version": version("upwell"),
            "description": "Events in over Kafka, fresh recommendation lists with reasons out.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {str(topic): _channel(topic) for topic in topics},
        "operations": {_operation(topic): _described(topic) for topic in topics},
        "components": {"messages": {_name(topic): _message(topic) for topic in topics}},
    }


def _name(topic: Topic) -> str:
    schema = event_schema(topic) if topic in EVENT_TOPICS else output_schema(topic)
    return str(schema["title"])


def _operation(topic: Topic) -> str:
    return f"{'receive' if topic in EVENT_TOPICS else 'send'}_{topic}"


def _channel(topic: Topic) -> dict[str, Any]:
    name = _name(topic)
    return {
        "address": PREFIX + topic,
        "title": str(topic),
        "description": f"`{PREFIX}` is the setting UPWELL_PREFIX.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"kafka": {"topic": PREFIX + topic, "bindingVersion": BINDING}},
    }


def _described(topic: Topic) -> dict[str, Any]:
    return {
        "action": "receive" if topic in EVENT_TOPICS else "send",
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{_name(topic)}"}],
    }


def _message(topic: Topic) -> dict[str, Any]:
    key = {"type": "string", "description": KEYS.get(topic, "user_id")}
    return {
        "name": _name(topic),
        "contentType": "application/json",
        "payload": {"schemaFormat": FORMAT, "schema": {"$ref": f"./{schema_id(topic)}"}},
        "bindings": {"kafka": {"key": key, "bindingVersion": BINDING}},
    }
