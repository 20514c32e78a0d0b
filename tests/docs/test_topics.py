"""docs/topics.md names every topic, and every field of what stands on those that apps write to."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from tests.docs.commands import ROOT
from upwell.events import Action, ControlKind, Topic, type_of_topic

PAGE = (ROOT / "docs" / "topics.md").read_text()
ROWS = dict(re.findall(r"^\| \**(\w+)\** \| [\w -]+ \| (.*) \|$", PAGE, re.MULTILINE))
COMMON = {"event_id", "ts", "cleared"}
"""`cleared` is no field of the JSON: a null is."""


def test_every_topic_is_named() -> None:
    assert {one.value for one in Topic} <= set(re.findall(r"\w+", PAGE))
    assert set(ROWS) - {"topic"} <= {one.value for one in Topic}


@pytest.mark.parametrize("topic", type_of_topic)
def test_every_field_of_an_event_is_named(topic: Topic) -> None:
    named = set(re.findall(r"\w+", ROWS[topic.value]))
    assert {field.name for field in fields(type_of_topic[topic])} - COMMON <= named
    if topic is Topic.CLICKS:
        assert {one.value for one in Action} <= named
    if topic is Topic.CONTROLS:
        assert {one.value for one in ControlKind} <= named
