"""The opinion watch as its users run it: a process under the supervisor, the real encoder, real
Kafka, kill -9 in the midst of a surge.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from stream.broker.topics import ensure_topics
from tests.faults.scenarios.uses import FedUse
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import load_settings
from upwell.system.clock import now_ms
from upwell.uses.topics import UseTopic

MINUTE = 60_000
USUAL, SURGE = 420, 60
SUBJECTS = ("train {0} late {1}", "bread {0} bakery {1}", "football {0} match {1}")
ABOUT = "tap water smells of petrol in {0}, {1}"
WORDS = [
    "Monday",
    "harbour",
    "blue",
    "seven",
    "angry",
    "station",
    "morning",
    "garden",
    "winter",
    "school",
    "market",
    "uncle",
    "bicycle",
    "window",
    "river",
    "Saturday",
    "hospital",
    "cousin",
    "kitchen",
    "island",
    "noisy",
    "village",
    "museum",
    "doctor",
    "forest",
    "Tuesday",
    "engine",
    "teacher",
    "orange",
    "castle",
    "bridge",
    "holiday",
    "valley",
    "pepper",
    "silver",
    "curtain",
]


def posts(random: Random) -> list[tuple[str, str, dict[str, Any]]]:
    began = now_ms() - (USUAL + SURGE) * MINUTE
    said: list[tuple[str, str, dict[str, Any]]] = []
    for number in range(USUAL + SURGE):
        surges = number >= USUAL and random.random() < 0.7
        text = (ABOUT if surges else random.choice(SUBJECTS)).format(*random.sample(WORDS, 2))
        value = {"post_id": f"p{number}", "user_id": f"u{number}", "text": text}
        said.append((UseTopic.POSTS, f"u{number}", {**value, "ts": began + number * MINUTE}))
    return said


def test_kills_lose_no_alert_and_raise_none_twice(
    kafka: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPWELL_WATCH_FALSE_ALARMS", "10")
    own = {"UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix, "UPWELL_DATA": str(tmp_path)}
    settings = load_settings({**own, "UPWELL_PARTITIONS": "2"})
    ensure_topics(prefix, settings.kafka.partitions, client_options(settings.kafka))
    use, said = FedUse(settings, "watch", tmp_path / "logs"), posts(Random(3))
    with use.supervisor:
        log = tmp_path / "logs" / "watch.log"
        use.wait(lambda: log.exists() and "reading from" in log.read_text(), "the watch")
        for first, last in ((0, 200), (201, 440)):
            use.feed(said[first:last], 0.0)
            use.kill()
            use.feed(said[last : last + 1], 0.0)
            use.wait(lambda n=last: _read(use) > n, "it to be back")  # type: ignore[misc]
        use.feed(said[441:], 0.0)
        use.wait(lambda: _read(use) == len(said), "all posts")
        alerts = use.read(UseTopic.ALERTS)
        [alert] = [one for one in alerts if one["kind"] == "new" and not one["update"]]
        assert sum("petrol" in one["text"] for one in alert["posts"]) == 5
        told = [(one["alert_id"], one["update"]) for one in alerts]
        assert len(set(told)) == len(told)
        assert _figures(use)["posts"]["repeated"] == 0
        seen = {"alert_id": alert["alert_id"], "by": "eve"}
        use.feed([(UseTopic.ACKNOWLEDGEMENTS, alert["alert_id"], seen)], 0.0)
        left = len({one["alert_id"] for one in alerts}) - 1
        use.wait(lambda: _figures(use)["open"] == left, "what is acknowledged to be closed")


def _read(use: FedUse) -> int:
    figures = _figures(use)
    return sum(figures["posts"].values()) if figures else 0


def _figures(use: FedUse) -> dict[str, Any]:
    told = [one for one in use.read(Topic.METRICS, 1) if one["role"] == "watch"]
    return dict(told[-1]["watch"]) if told else {}
