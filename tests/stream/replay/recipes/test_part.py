from __future__ import annotations

from pathlib import Path

import pytest

from stream.replay.recipes.part import part_of
from upwell.errors import LogError

LINES = """{"topic":"items","key":"a","value":{"item_id":"a"}}
{"topic":"items","key":"b","value":{"item_id":"b"}}
broken
{"topic":"clicks","key":"u","value":{"item_id":"b"}}
{"topic":"queries","key":"u","value":{"text":"x"}}
{"topic":"clicks","key":"u","value":{"item_id":"a"}}
"""


@pytest.mark.parametrize(("most", "keys"), [(1, "bu"), (2, "buu"), (3, "abuuu"), (9, "abuuu")])
def test_the_first_events_and_the_items_that_they_name(
    tmp_path: Path, most: int, keys: str
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(LINES)
    assert "".join((one.key or b"").decode() for one in part_of(log, most)) == keys


def test_all_items_up_to_the_last_event(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(LINES + '{"topic":"items","key":"c","value":{"item_id":"c"}}\n')
    parts = [part_of(log, most, all_items=True) for most in (1, 3, 9)]
    keys = ["".join((one.key or b"").decode() for one in part) for part in parts]
    assert keys == ["abu", "abuuu", "abuuuc"]


def test_announcements_stay_where_they_stand(tmp_path: Path) -> None:
    log, lines = tmp_path / "log.jsonl", LINES.splitlines()
    log.write_text("\n".join([*lines[3:5], *lines[:2], lines[5]]))
    assert "".join((one.key or b"").decode() for one in part_of(log, 9)) == "uuabu"


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="there is no log"):
        part_of(tmp_path / "log.jsonl", 3)
