"""The process of a use is killed again and again while it is fed: everything that goes in comes to
its effect once.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import orjson
from kafka import KafkaProducer, TopicPartition

from stream.broker.feeds import read_partition
from stream.ops.supervise import Supervisor
from tests.faults.scenarios.surroundings import Stage
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import Settings
from upwell.system.clock import now_ms
from upwell.uses.topics import UseTopic

__all__ = ["USE_KILLS", "FedUse", "desk_killed", "desk_under_kills"]

USE_KILLS = 4
QUESTIONS = 160
DEADLINE_SECONDS = 120.0
TEMPLATES = {
    "card": ("Where is my card", "my card has not arrived yet"),
    "refund": ("Getting a refund", "I want my money back for this payment"),
    "pin": ("Changing the PIN", "how do I set another PIN"),
}
ASKED = ("when does the card arrive", "give me the money back", "a new PIN please")


class FedUse:
    """The process of one use on a broker, and what is fed to it. name: its role. environ: what it
    is started with besides.
    """

    def __init__(
        self, settings: Settings, name: str, logs: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        kafka = settings.kafka
        own = {
            "UPWELL_KAFKA": kafka.address or "",
            "UPWELL_PREFIX": kafka.prefix,
            "UPWELL_DATA": str(settings.data),
            "UPWELL_PARTITIONS": str(kafka.partitions),
        }
        self._prefix, self._partitions = kafka.prefix, kafka.partitions
        self._client = client_options(kafka)
        command = [sys.executable, "-m", "stream.ops.cli", "worker"]
        environ = {**os.environ, **own, **(environ or {})}
        self.supervisor = Supervisor(command, environ, logs, (name,))
        self._name, self._log = name, logs / f"{name}.log"

    def is_up(self) -> bool:
        """Whether it has said that it reads."""
        return self._log.exists() and "reading from" in self._log.read_text()

    def kill(self) -> None:
        os.kill(self.supervisor.pids[self._name], signal.SIGKILL)

    def read(self, topic: str, partitions: int | None = None) -> list[Any]:
        """The values of what is committed there."""
        numbers = range(partitions or self._partitions)
        places = [TopicPartition(self._prefix + topic, number) for number in numbers]
        return [
            orjson.loads(one.value)
            for place in places
            for one in read_partition(self._client, place, 0)
        ]

    def wait(self, holds: Callable[[], bool], what: str) -> None:
        """Tended meanwhile."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            self.supervisor.check()
            time.sleep(0.1)

    def feed(self, said: Sequence[tuple[str, str, dict[str, Any]]], pause_s: float) -> None:
        """Topic, key and value of each, so far apart."""
        with closing(KafkaProducer(acks="all", **self._client)) as producer:
            for topic, key, value in said:
                raw = orjson.dumps({"ts": now_ms(), **value})
                producer.send(self._prefix + topic, key=key.encode(), value=raw).get(timeout=60)
                self.supervisor.check()
                time.sleep(pause_s)


def desk_killed(stage: Stage) -> list[float]:
    """Beside the engine, which is fed as ever."""
    stage.engine.feed(stage.events)
    settings = stage.engine.settings
    return desk_under_kills(settings, settings.data / "uses-logs", stage.random, USE_KILLS)


def desk_under_kills(settings: Settings, logs: Path, random: Random, kills: int) -> list[float]:
    """Questions and the choices behind them while the desk dies; then each has one answer, each
    choice counted once. The seconds from each kill to the next answer.
    """
    use, recoveries = FedUse(settings, "desk", logs), []
    with use.supervisor:
        use.wait(use.is_up, "the desk")
        use.feed([_template(*one) for one in TEMPLATES.items()], 0.0)
        for part in range(kills + 1):
            use.feed(_asked(part, kills + 1), 0.02 * random.random())
            if part < kills:
                before = len(use.read(UseTopic.ANSWERS))
                time.sleep(random.random())
                use.kill()
                struck = time.monotonic()
                use.feed(_asked(part, kills + 1, again=True), 0.0)
                use.wait(lambda n=before: len(use.read(UseTopic.ANSWERS)) > n, "it to be back")  # type: ignore[misc]
                recoveries.append(time.monotonic() - struck)
        use.wait(lambda: len(use.read(UseTopic.ANSWERS)) >= QUESTIONS, "all answers")
        use.wait(lambda: _choices(use) >= QUESTIONS, "all choices")
    answered = Counter(one["question_id"] for one in use.read(UseTopic.ANSWERS))
    assert answered == Counter(f"q{number}" for number in range(QUESTIONS)), answered
    assert _choices(use) == QUESTIONS
    letters = [one for one in use.read(Topic.DEAD_LETTERS, 1) if one["topic"] in list(UseTopic)]
    assert letters == [], letters
    return recoveries


def _template(template_id: str, words: tuple[str, str]) -> tuple[str, str, dict[str, Any]]:
    title, example = words
    value = {"template_id": template_id, "title": title, "examples": [example]}
    return UseTopic.TEMPLATES, template_id, value


def _asked(part: int, parts: int, again: bool = False) -> list[tuple[str, str, dict[str, Any]]]:
    """Of this part's questions the first half with their choices, or the second (`again`)."""
    start, end = (round(place * QUESTIONS / parts) for place in (part, part + 1))
    middle = (start + end) // 2 if part < parts - 1 else end
    return [
        one
        for number in (range(middle, end) if again else range(start, middle))
        for one in _pair(number)
    ]


def _pair(number: int) -> list[tuple[str, str, dict[str, Any]]]:
    kind, question, user = number % len(ASKED), f"q{number}", f"u{number % 7}"
    asked = {"question_id": question, "user_id": user, "text": f"{ASKED[kind]} {number}"}
    chosen = {"question_id": question, "template_id": list(TEMPLATES)[kind], "by": "eve"}
    return [(UseTopic.QUESTIONS, user, asked), (UseTopic.CHOICES, question, chosen)]


def _choices(use: FedUse) -> int:
    """That the desk has counted, as it says itself."""
    told = [one for one in use.read(Topic.METRICS, 1) if one["role"] == "desk"]
    return sum(told[-1]["desk"]["choices"].values()) if told else 0
