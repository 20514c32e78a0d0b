"""What is said and sent for each part, and how rounds are compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

from bench.trust.prices import PARTS, WITHOUT, compared, overrides, policy
from stream.chain.policy.policy import load_policy
from stream.chain.validate import decode
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.recommendations import DeadLetter
from upwell.settings import load_settings
from upwell.values import CatalogueItem

ITEMS = [
    LogRecord(number, Topic.ITEMS, b"", orjson.dumps({"item_id": f"i{number}"}))
    for number in range(40)
]


def test_overrides_are_controls_and_few_of_them_ban() -> None:
    made = overrides(ITEMS, 100)
    for one in made:
        assert not isinstance(decode(one.topic, 0, 0, one.value, 1_700_000_000_001), DeadLetter)
    said = [orjson.loads(one.value) for one in made]
    assert len({one["override_id"] for one in said}) == 100
    assert sum(one["decision"] == "ban" for one in said) == 5
    assert {one["decision"] for one in said} == {"ban", "boost", "pin", "demote"}


def test_a_policy_of_terms_keeps_items(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(policy(["darn", "heck"]), encoding="utf-8")
    own = load_policy(tmp_path / "policy.toml")
    vector = np.zeros(2, np.float32)
    item = CatalogueItem(item_id="i", ts=0, title="a darn boat", vector=vector, revision="none")
    assert own.judged(item).blocked == ""
    assert own.masked("a darn boat, heck") == "a boat,"


@pytest.mark.parametrize("name", PARTS)
def test_each_part_is_a_setting_that_there_is_or_overrides(name: str) -> None:
    part = PARTS[name]
    assert part.environ or part.overrides
    told = {key: value for key, value in part.environ.items() if key != "UPWELL_POLICY"}
    assert (load_settings(told, None) != load_settings({}, None)) == bool(told)


def test_a_ratio_is_of_one_round() -> None:
    runs = {
        WITHOUT: [{"events_per_s": 100.0}, {"events_per_s": 200.0}, {"events_per_s": 400.0}],
        "policy": [{"events_per_s": 50.0}, {"events_per_s": 160.0}, {"events_per_s": 400.0}],
    }
    found = compared(runs)["policy"]
    assert found["events_per_s"] == 160.0
    assert found["events_per_s_ratio"] == 0.8
    assert (found["events_per_s_ratio_lowest"], found["events_per_s_ratio_highest"]) == (0.5, 1.0)
