from __future__ import annotations

from bench.speed.workers import in_turns
from stream.replay.log import LogRecord
from upwell.events import Topic


def test_users_take_turns_and_each_ones_events_stay_in_order() -> None:
    events = [
        LogRecord(line, Topic.CLICKS, user.encode(), b"")
        for line, user in enumerate("aaabcc", start=1)
    ]
    dealt = in_turns(events)
    assert [(event.key, event.line) for event in dealt] == [
        (b"a", 1),
        (b"b", 4),
        (b"c", 5),
        (b"a", 2),
        (b"c", 6),
        (b"a", 3),
    ]
