from __future__ import annotations

from stream.replay.log import LogRecord
from stream.replay.recipes.recipe import record
from upwell.events import Topic


def test_a_record_that_is_made_here_reads_as_one_of_a_log() -> None:
    made = record(3, Topic.CLICKS, "Zoë", {"user_id": "Zoë", "ts": 1})
    assert made == LogRecord(3, Topic.CLICKS, "Zoë".encode(), '{"user_id":"Zoë","ts":1}'.encode())
