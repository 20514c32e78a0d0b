"""Small logs, and settings that learn from them in many micro-batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson

from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.settings import Settings

SETTINGS = Settings(
    stream=replace(Settings().stream, batch_events=16),
    learner=replace(Settings().learner, fused=False),
)
T0 = 1_700_000_000_000


def small_log(events: int, seed: int = 4, users: int = 12, items: int = 30) -> list[LogRecord]:
    """Announcements, then likes, the first items most."""
    rng = np.random.default_rng(seed)
    lines = [
        line(Topic.ITEMS, f"i{n}", n, event_id=f"a{n}", item_id=f"i{n}", title=f"Film {n}")
        for n in range(items)
    ]
    for number in range(events):
        user, item = f"u{rng.integers(users)}", f"i{int(items * rng.random() ** 2)}"
        told = {"event_id": f"e{number}", "user_id": user, "item_id": item, "rating": 5.0}
        lines.append(line(Topic.REVIEWS, user, number, **told))
    return lines


def line(topic: Topic, key: str, second: int, **value: object) -> LogRecord:
    return LogRecord(0, topic, key.encode(), orjson.dumps({"ts": T0 + 1_000 * second, **value}))


def written(lines: list[LogRecord]) -> str:
    """As a file of lines."""
    return "".join(
        orjson.dumps(
            {"topic": one.topic, "key": (one.key or b"").decode(), "value": orjson.loads(one.value)}
        ).decode()
        + "\n"
        for one in lines
    )
