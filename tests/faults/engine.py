"""The engine under the harness: workers that can be killed and started one by one, a log fed in
parts, and what is seen from outside.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import orjson

from stream.broker.feeds import Broadcast
from stream.broker.incarnations import incarnations_of
from stream.broker.lag import Lag
from stream.broker.topics import ensure_topics
from stream.chain.privacy import load_or_create_key
from stream.chain.records import BroadcastRecord
from stream.replay.log import LogRecord
from stream.replay.player import Pace, Player
from tests.faults.harness import DEADLINE_SECONDS, harness_settings, wait_until
from tests.faults.inject import Fault
from tests.faults.worker import Role, start_worker
from upwell.client import client_options
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.settings import Settings
from upwell.system.clock import now_ms

__all__ = ["Engine", "harness_settings", "wait_until"]

MOST_FALLS = 60
RESTART_SECONDS = 1.0
HANDFUL = 8
"""So many events are fed at a time while a fault inside a worker is to strike."""
OUTPUT: Mapping[Role, Topic] = {"serve": Topic.RECOMMENDATIONS, "learn": Topic.MODELS}
UNPACED = Pace()
SEEN = (Topic.RECOMMENDATIONS, Topic.MODELS, Topic.METRICS, Topic.DEAD_LETTERS)


@dataclass(slots=True)
class _Worker:
    role: Role
    process: ForkServerProcess
    started: float


class Engine:
    """Workers on a real broker.

    Two is the least: `serve-0` and `learn`; a worker that ends by itself is started again by
    `tend`.
    """

    def __init__(self, settings: Settings, serves: int = 1) -> None:
        self.settings = settings
        self.key = load_or_create_key(settings.data / "key")
        self.falls: Counter[str] = Counter()
        self._names: dict[str, Role] = {f"serve-{number}": "serve" for number in range(serves)}
        self._names["learn"] = "learn"
        self._data: dict[str, Path] = {}
        """Of workers on another host."""
        self._said_before: dict[str, int] = {}
        self._workers: dict[str, _Worker] = {}
        self._seen: dict[Topic, list[BroadcastRecord]] = {topic: [] for topic in SEEN}
        self._told: tuple[Mapping[str, Any], ...] = ({"positions": {}, "topic_id": ""},) * 2

    @property
    def client(self) -> dict[str, Any]:
        """kafka-python's options."""
        return client_options(self.settings.kafka)

    def __enter__(self) -> Engine:
        prefix = self.settings.kafka.prefix
        ensure_topics(prefix, self.settings.kafka.partitions, self.client)
        self._feeds = {topic: Broadcast(prefix + topic, self.client) for topic in SEEN}
        for feed in self._feeds.values():
            feed.start()
        self._lag = Lag(self.client, prefix)
        self._player = Player(self.client, prefix, lambda _: None, lambda: None)
        for name in self._names:
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.process.kill()
            worker.process.join()
        for feed in self._feeds.values():
            feed.stop()
        self._player.__exit__()
        self._lag.__exit__(None, None, None)

    # ---- workers

    def start(self, name: str, fault: Fault | None = None, role: Role | None = None) -> None:
        """Start a worker that does not run. `role`: of one that joins."""
        self._names[name] = role or self._names[name]
        own = replace(
            self.settings,
            data=self._data.get(name, self.settings.data),
            stream=replace(self.settings.stream, instance=name),
        )
        log = self._log(name)
        log.parent.mkdir(exist_ok=True)
        log.touch()
        self._said_before[name] = log.stat().st_size
        self._workers[name] = _Worker(
            self._names[name], start_worker(self._names[name], own, log, fault), time.monotonic()
        )

    def on_another_host(self, name: str, role: Role) -> None:
        """Start a worker that joins, with a data folder of its own: all that it shares with the
        first one is what the settings name, and the key.
        """
        self._data[name] = self.settings.data / "another-host"
        self._data[name].mkdir(exist_ok=True)
        (self._data[name] / "key").write_bytes((self.settings.data / "key").read_bytes())
        self.start(name, role=role)

    def role(self, name: str) -> Role:
        """Of a worker, also one that does not run."""
        return self._names[name]

    def said_since_start(self, name: str) -> str:
        """What a worker has logged since it was started last."""
        return self._log(name).read_bytes()[self._said_before[name] :].decode(errors="replace")

    def _log(self, name: str) -> Path:
        return self.settings.data / "logs" / f"{name}.log"

    def kill(self, name: str) -> int:
        """SIGKILL, wait for the end; when that was, UTC ms. It stays down until `start`."""
        worker = self._workers.pop(name)
        worker.process.kill()
        worker.process.join()
        return now_ms()

    def pause(self, name: str) -> None:
        """Stop a worker's clock: it goes on in the middle of what it did, with all that it
        believed, at `resume`.
        """
        self._signal(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a paused worker go on."""
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> None:
        pid = self._workers[name].process.pid
        assert pid is not None
        os.kill(pid, number)

    def peak_mb(self, name: str) -> float:
        """The most memory that a worker's process has held since its start (VmHWM of /proc)."""
        status = Path(f"/proc/{self._workers[name].process.pid}/status").read_text()
        return (
            next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
            / 1024
        )

    def leave(self, name: str) -> None:
        """End a worker in order, for good."""
        worker = self._workers.pop(name)
        worker.process.terminate()
        worker.process.join()

    def restart_with(self, name: str, fault: Fault) -> None:
        """Kill a worker and start it with a fault inside."""
        self.kill(name)
        self.start(name, fault)

    def fallen(self, name: str) -> bool:
        """Whether a worker has ended by itself and was not started again."""
        return self._workers[name].process.exitcode is not None

    def feed_until_fallen(self, records: Sequence[LogRecord], name: str) -> int:
        """Feed in handfuls until the fault inside the worker strikes, then all the rest; when the
        worker fell, UTC ms.
        """
        for fed in range(0, len(records), HANDFUL):
            self.feed(records[fed : fed + HANDFUL])
            wait_until(
                lambda: self.fallen(name) or self._settled(),
                f"the fault in {name}; logs in {self.settings.data / 'logs'}",
            )
            if self.fallen(name):
                break
        assert self.fallen(name), (
            f"the fault in {name} did not strike; logs in {self.settings.data / 'logs'}"
        )
        fallen_ms = now_ms()
        self.feed(records[fed + HANDFUL :])
        return fallen_ms

    def tend(self) -> None:
        """Start again what ended by itself, a second after its last start at the earliest, as a
        supervisor does, and count it.
        """
        for name, worker in list(self._workers.items()):
            if (
                worker.process.exitcode is not None
                and time.monotonic() - worker.started >= RESTART_SECONDS
            ):
                self.falls[name] += 1
                assert self.falls[name] <= MOST_FALLS, (
                    f"{name} falls again and again; logs in {self.settings.data / 'logs'}"
                )
                self.start(name)

    def stop(self) -> None:
        """End all in order, so that the learner saves."""
        for worker in self._workers.values():
            worker.process.terminate()
        for worker in self._workers.values():
            worker.process.join()
        self._workers.clear()

    # ---- the stream

    def feed(self, records: Iterable[LogRecord], pace: Pace = UNPACED) -> None:
        """Produce them; returns when the broker has them."""
        self._player.play(records, pace)

    def wait(
        self, condition: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS
    ) -> None:
        """Wait while fallen workers are started again."""

        def look() -> bool:
            self.tend()
            return condition()

        wait_until(look, f"{what}; logs in {self.settings.data / 'logs'}", seconds)

    def settle(self, what: str, seconds: float = DEADLINE_SECONDS) -> None:
        """Wait until everything appended is acknowledged by serve and learned by learn."""
        self.wait(self._settled, what, seconds)

    def recovery_seconds(self, role: Role, since_ms: int) -> float:
        """Wait for the first list (serve) or model record (learn) appended after `since_ms`; how
        long after.
        """
        topic = OUTPUT[role]
        found: list[int] = []

        def look() -> bool:
            found.extend(
                record.appended_ms for record in self._look(topic) if record.appended_ms > since_ms
            )
            return bool(found)

        self.wait(look, f"{role} to go on")
        return (min(found) - since_ms) / 1000

    def seen(self, topic: Topic) -> list[BroadcastRecord]:
        """All records of an output topic so far."""
        return self._look(topic)

    def read_anew(self, topic: Topic) -> None:
        """An output topic that was made anew: what the old one had is no longer seen."""
        self._feeds[topic].stop()
        self._seen[topic].clear()
        self._feeds[topic] = Broadcast(self.settings.kafka.prefix + topic, self.client)
        self._feeds[topic].start()

    def _look(self, topic: Topic) -> list[BroadcastRecord]:
        self._seen[topic].extend(self._feeds[topic].drain())
        return self._seen[topic]

    def _examples_id(self) -> str:
        """Where the topic was made anew, what learn said of the old one does not count."""
        prefix = self.settings.kafka.prefix
        return incarnations_of(self.client, prefix, [Topic.EXAMPLES])[Topic.EXAMPLES]

    def _settled(self) -> bool:
        try:
            return self._lag.behind() == 0 and self._all_learned()
        except BrokerError:  # it is down, as some fault wants it
            return False

    def _all_learned(self) -> bool:
        """Told twice: by then the step that learned the last is over, its checkpoint too."""
        ends, topic_id = self._lag.ends([Topic.EXAMPLES]), self._examples_id()
        for record in self._look(Topic.METRICS):
            if record.key == b"learn" and record.value:
                self._told = (self._told[1], orjson.loads(record.value))
        self._seen[Topic.METRICS].clear()
        return all(
            told["topic_id"] == topic_id and told["positions"].get(str(end.partition), 0) >= offset
            for told in self._told
            for end, offset in ends.items()
        )
