"""What each kind of control needs and may have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from upwell.controls import RULES
from upwell.errors import InvalidEventError
from upwell.events import ControlKind, Topic
from upwell.schema import event_value, key_of, parse_event

DOCS = Path(__file__).parents[3] / "docs"
NOW_MS = 1_800_000_000_000
BASE = {"event_id": "e", "ts": NOW_MS, "by": "ann", "why": "season"}
OVERRIDE = BASE | {"kind": "override", "override_id": "o", "item_id": "i", "decision": "ban"}
GOOD = [
    OVERRIDE,
    OVERRIDE | {"user_id": "u", "from_ts": NOW_MS, "until_ts": NOW_MS + 1, "priority": -3},
    OVERRIDE | {"segment": "vip", "decision": "boost", "boost": 2.0},
    OVERRIDE | {"query": "réd shoes", "match": "equals", "decision": "demote", "boost": 0.5},
    OVERRIDE | {"decision": "release", "until_ts": NOW_MS},
    OVERRIDE | {"decision": "refuse", "priority": 1},
    BASE | {"kind": "approve", "override_id": "o", "of_event": "e1"},
    BASE | {"kind": "reject", "override_id": "o"},
    BASE | {"kind": "withdraw", "override_id": "o"},
    BASE | {"kind": "tag_user", "user_id": "u", "segment": "vip"},
    BASE | {"kind": "untag_user", "user_id": "u", "segment": "vip"},
    BASE | {"kind": "rollback_model", "version": "120-ab"},
    BASE | {"kind": "promote_encoder", "version": "v"},
    BASE | {"kind": "rollback_encoder", "version": "v"},
    OVERRIDE | {"decision": "keep"},
]
BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"override_id": ""}, "missing_field", "override_id is missing, override needs it"),
    ({"user_id": "u", "query": "x"}, "unexpected_field", "one of user_id, segment, query"),
    ({"match": "equals"}, "unexpected_field", "without query"),
    ({"match": "equals", "query": "  "}, "unexpected_field", "without query"),
    ({"boost": 1}, "unexpected_field", "boost has no meaning for ban"),
    ({"decision": "boost"}, "missing_field", "boost needs it: above 0"),
    ({"decision": "demote", "boost": -1}, "out_of_range", "which way"),
    ({"decision": "release", "user_id": "u"}, "unexpected_field", "no meaning for release"),
    ({"decision": "refuse", "query": "x"}, "unexpected_field", "no meaning for refuse"),
    ({"decision": "bann"}, "unknown_value", "did you mean ban?"),
    ({"from_ts": NOW_MS, "until_ts": NOW_MS}, "bad_time", "never hold"),
    ({"from_ts": 1_700_000_000}, "out_of_range", "from_ts"),
    ({"until_ts": 2**53 - 1}, "out_of_range", "until_ts"),
    ({"priority": 0.5}, "wrong_type", "priority"),
    ({"of_event": "e"}, "unexpected_field", "of_event has no meaning for override"),
    ({"kind": "approve"}, "unexpected_field", "item_id has no meaning for approve"),
    ({"kind": "tag_user", "user_id": "u"}, "missing_field", "segment is missing"),
]


def test_every_kind_has_its_rule() -> None:
    assert set(RULES) == set(ControlKind)


@pytest.mark.parametrize("value", GOOD)
def test_what_is_right_comes_back_as_it_was(value: dict[str, Any]) -> None:
    event = parse_event(Topic.CONTROLS, value, now_ms=NOW_MS)
    assert event_value(event) == value
    assert key_of(event) == value.get("override_id") or value.get("version", "u")


@pytest.mark.parametrize(("change", "reason", "detail"), BAD)
def test_what_is_wrong_is_named(change: dict[str, Any], reason: str, detail: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        parse_event(Topic.CONTROLS, OVERRIDE | change, now_ms=NOW_MS)
    assert (caught.value.reason, detail in caught.value.detail) == (reason, True), caught.value


@pytest.mark.parametrize(
    ("page", "kinds"), [("overrides.md", ["override", "approve"]), ("attacks.md", ["override"])]
)
def test_the_events_of_the_page_are_events(page: str, kinds: list[str]) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```json\n(.*?)^ *```", text, re.M | re.S)
    found = [parse_event(Topic.CONTROLS, json.loads(one), now_ms=NOW_MS) for one in blocks]
    assert [getattr(one, "kind", None) for one in found] == kinds
