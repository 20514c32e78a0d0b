"""The opinion watch is killed again and again while a subject surges: each post counts once, and
the surge is one alert.
"""

from __future__ import annotations

import time
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.scenarios.surroundings import Stage
from tests.faults.scenarios.uses import USE_KILLS, FedUse
from upwell.events import Topic
from upwell.settings import Settings
from upwell.system.clock import now_ms
from upwell.uses.topics import UseTopic

__all__ = ["watch_killed", "watch_under_kills"]

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


def watch_killed(stage: Stage) -> list[float]:
    """Beside the engine, which is fed as ever."""
    stage.engine.feed(stage.events)
    settings = stage.engine.settings
    return watch_under_kills(settings, settings.data / "watch-logs", stage.random, USE_KILLS)


def watch_under_kills(settings: Settings, logs: Path, random: Random, kills: int) -> list[float]:
    """Hours of posts, the last of which surge, while the watch dies, the last time in the surge.
    The seconds from each kill until a post was read again.
    """
    use, said = FedUse(settings, "watch", logs, {"UPWELL_WATCH_FALSE_ALARMS": "10"}), posts(random)
    strikes = [*sorted(random.sample(range(1, USUAL), kills - 1)), USUAL + SURGE // 3]
    fed, recoveries = 0, []
    with use.supervisor:
        use.wait(use.is_up, "the watch")
        for last in strikes:
            use.feed(said[fed:last], 0.0)
            use.kill()
            struck = time.monotonic()
            use.feed(said[last : last + 1], 0.0)
            fed = last + 1
            use.wait(lambda n=last: _read(use) > n, "it to be back")  # type: ignore[misc]
            recoveries.append(time.monotonic() - struck)
        use.feed(said[fed:], 0.0)
        use.wait(lambda: _read(use) == len(said), "all posts")
        _holds(use)
    return recoveries


def _holds(use: FedUse) -> None:
    alerts = use.read(UseTopic.ALERTS)
    [alert] = [one for one in alerts if one["kind"] == "new" and not one["update"]]
    assert sum("petrol" in one["text"] for one in alert["posts"]) == 5, alert
    told = [(one["alert_id"], one["update"]) for one in alerts]
    assert len(set(told)) == len(told), told
    assert _figures(use)["posts"]["repeated"] == 0
    seen = {"alert_id": alert["alert_id"], "by": "eve"}
    use.feed([(UseTopic.ACKNOWLEDGEMENTS, alert["alert_id"], seen)], 0.0)
    left = len({one["alert_id"] for one in alerts}) - 1
    use.wait(lambda: _figures(use)["open"] == left, "what is acknowledged to be closed")
    letters = [one for one in use.read(Topic.DEAD_LETTERS, 1) if one["topic"] in list(UseTopic)]
    assert letters == [], letters


def posts(random: Random) -> list[tuple[str, str, dict[str, Any]]]:
    began = now_ms() - (USUAL + SURGE) * MINUTE
    said: list[tuple[str, str, dict[str, Any]]] = []
    for number in range(USUAL + SURGE):
        surges = number >= USUAL and random.random() < 0.7
        text = (ABOUT if surges else random.choice(SUBJECTS)).format(*random.sample(WORDS, 2))
        value = {"post_id": f"p{number}", "user_id": f"u{number}", "text": text}
        said.append((UseTopic.POSTS, f"u{number}", {**value, "ts": began + number * MINUTE}))
    return said


def _read(use: FedUse) -> int:
    figures = _figures(use)
    return sum(figures["posts"].values()) if figures else 0


def _figures(use: FedUse) -> dict[str, Any]:
    told = [one for one in use.read(Topic.METRICS, 1) if one["role"] == "watch"]
    return dict(told[-1]["watch"]) if told else {}
