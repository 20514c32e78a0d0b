"""The demo: the bundled log through the whole engine, on a fresh data folder, ending with an honest
report.

announce the catalogue -> replay as fast as it goes -> the last events at a steady rate
(freshness) -> report
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from learner.testing.figures import MODEL
from stream.broker.feeds import Broadcast
from stream.broker.lag import Lag
from stream.chain.publish import TRIGGER_APPENDED
from stream.metrics.record import told
from stream.ops.cluster import READY_SECONDS, Cluster, Metrics, running_cluster, settled
from stream.replay.log import BadLine, LogRecord, read_log
from stream.replay.player import Pace, Player
from stream.replay.progress import StreamProgress
from upwell.codec import parse_recommendations
from upwell.events import Topic
from upwell.reasons import Sentences
from upwell.recommendations import Recommendations
from upwell.settings import Settings

__all__ = ["DemoOptions", "run_demo"]

SETTLE_SECONDS = 600.0
LOOK_SECONDS = 0.25
WARMUP_SHARE = 10

Line = LogRecord | BadLine


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """events: only the first so many after the announcements; None is all. steady_events at
    steady_rate a second measure freshness.

    test_sample: the share of the targets, by lot, on which model and peers are tested.
    keep: go on after the report. private: learn under a budget of privacy.
    """

    log: Path
    events: int | None = None
    steady_rate: float = 200.0
    steady_events: int = 2_000
    test_sample: float = 0.25
    keep: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True)
class DemoLog:
    """The log cut for the demo: announcements, what is replayed at full speed, what is replayed at
    a steady rate.
    """

    items: Sequence[Line]
    bulk: Sequence[Line]
    steady: Sequence[Line]

    @property
    def events(self) -> int:
        """How many there are."""
        return len(self.bulk) + len(self.steady)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage, measured.

    seconds: from its first record sent until all of it was served and learned.
    """

    events: int
    seconds: float

    @property
    def events_per_s(self) -> float:
        """Events a second."""
        return round(self.events / self.seconds, 1) if self.seconds else 0.0


@dataclass(slots=True)
class Listener:
    """Counts lists as they come in; keeps their freshness and the newest of each user."""

    feed: Broadcast
    lists: int = 0
    freshness_ms: list[int] = field(default_factory=list)
    newest: dict[bytes, bytes] = field(default_factory=dict)

    def drain(self) -> None:
        """`freshness_ms`: the trigger's append to the broker until the list's."""
        for record in self.feed.drain():
            self.lists += 1
            self.freshness_ms.append(
                record.appended_ms - int(record.headers.get(TRIGGER_APPENDED, b"0"))
            )
            self.newest[record.key or b""] = record.value or b""


class Demo:
    """Plays the log into a running cluster and watches what comes out."""

    def __init__(self, cluster: Cluster, console: Console) -> None:
        self._cluster = cluster
        self._console = console
        self._prefix = cluster.settings.kafka.prefix
        self._metrics = Metrics(cluster.settings)
        self._listener = Listener(Broadcast(self._prefix + Topic.RECOMMENDATIONS, cluster.client))
        reasons = cluster.settings.reasons
        self._sentences = Sentences(reasons.language, reasons.file)
        self._bad: Counter[str] = Counter()

    def play(self, log: DemoLog, rate: float) -> dict[str, Any]:
        """The three stages, then the figures."""
        self._metrics.start()
        self._listener.feed.start()
        try:
            self._cluster.wait(
                self._metrics.ready, READY_SECONDS, "the workers to start", self._listener.drain
            )
            catalogue = self._stage("catalogue", log.items, Pace())
            bulk = self._stage("events", log.bulk, Pace())
            self._listener.freshness_ms.clear()
            self._stage(f"events at {rate:g}/s", log.steady, Pace(rate=rate))
            return self._report(log, catalogue, bulk)
        finally:
            self._metrics.stop()
            self._listener.feed.stop()

    def _stage(self, name: str, lines: Sequence[Line], pace: Pace) -> Stage:
        started = time.monotonic()
        with (
            Lag(self._cluster.client, self._prefix) as lag,
            StreamProgress(self._console, f"{name:<15}", len(lines)) as progress,
        ):
            looked = 0.0

            def tick() -> None:
                nonlocal looked
                if time.monotonic() - looked >= LOOK_SECONDS:
                    looked = time.monotonic()
                    progress.show(player.sent - lag.behind(), lag.behind(), self._running_hr10())
                    self._look()

            with Player(self._cluster.client, self._prefix, self._on_bad, tick) as player:
                player.play(lines, pace)
            what = f"the {name} to be served and learned"
            self._cluster.wait(lambda: settled(lag, self._metrics), SETTLE_SECONDS, what, tick)
            progress.finish(self._running_hr10())
        return Stage(len(lines), time.monotonic() - started)

    def _look(self) -> None:
        self._cluster.supervisor.check()
        self._listener.drain()

    def _running_hr10(self) -> float | None:
        hr10: float | None = told(self._metrics.newest("learn"), "hr10").get((MODEL, "all"))
        return hr10

    def _on_bad(self, line: BadLine) -> None:
        self._bad[line.reason] += 1
        self._console.print(f"[yellow]{escape(str(line))}[/]", highlight=False)

    def _report(self, log: DemoLog, catalogue: Stage, bulk: Stage) -> dict[str, Any]:
        time.sleep(1.5)  # the last figures are on their way: both roles report every second
        self._listener.drain()
        served, figures = self._metrics.newest("serve"), self._metrics.newest("learn")["figures"]
        with Lag(self._cluster.client, self._prefix) as lag:
            dead_letters = sum(lag.ends([Topic.DEAD_LETTERS]).values())
        fresh = np.asarray(self._listener.freshness_ms or [0])
        return {
            "events_in": len(log.items) + log.events,
            "lists_out": self._listener.lists,
            "dead_letters": dead_letters,
            "bad_lines": sum(self._bad.values()),
            "duplicates": served["counts"].get("duplicates", 0),
            "unknown_fields": served["unknown_fields"],
            "events_per_s": bulk.events_per_s,
            "items_per_s": catalogue.events_per_s,
            "catalogue_texts": served["catalogue_texts"],
            "freshness_ms": {
                "p50": float(np.percentile(fresh, 50)),
                "p99": float(np.percentile(fresh, 99)),
                "lists": len(fresh),
            },
            "targets": figures["targets"],
            "ndcg10": figures["model"]["ndcg10"],
            "hr10": figures["model"]["hr10"],
            "peers": {name: peer["ndcg10"] for name, peer in figures["peers"].items()},
            "example": self._example(),
            "private": self._metrics.newest("learn").get("private"),
        }

    def _example(self) -> dict[str, Any]:
        """The list of the user whose list came last."""
        raw = list(self._listener.newest.values())[-1]
        recommendations: Recommendations = parse_recommendations(raw)
        return {
            "user_id": recommendations.user_id,
            "items": [
                {
                    "title": entry.title,
                    "score": entry.score,
                    "why": self._sentences.of(entry),
                    "reasons": [
                        (reason.signal, reason.weight, reason.because)
                        for reason in entry.reasons[:3]
                    ],
                }
                for entry in recommendations.items
            ],
        }


def run_demo(
    settings: Settings,
    options: DemoOptions,
    console: Console,
    show: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Run all of it on a fresh folder below the data folder; `show` is given the report. Raises
    `UpwellError`.
    """
    started = time.monotonic()
    log = cut_log(options)
    console.print(plan(log, options.steady_rate))
    home = settings.data / "demo"
    shutil.rmtree(home, ignore_errors=True)
    own = replace(settings, data=home)
    announce = settings.data / "broker.json"
    with running_cluster(
        own, child_environ(options, log), home / "logs", announce, console.print
    ) as cluster:
        report = Demo(cluster, console).play(log, options.steady_rate)
        report["wall_s"] = round(time.monotonic() - started, 1)
        show(report)
        if options.keep:
            console.print("The engine keeps running; Ctrl-C ends it.")
            cluster.supervisor.watch(until=lambda: False)
    console.print("`upwell serve` opens a page on what was just replayed.")
    return report


def plan(log: DemoLog, rate: float) -> str:
    """What will happen, for whoever waits for it."""
    return (
        f"The demo announces {len(log.items):,} items, replays {len(log.bulk):,} events as fast as "
        f"they go and the last {len(log.steady):,} at {rate:g} a second, and reports. The whole "
        "MovieLens log takes one and a half minutes on two quick cores, several on slow ones; the "
        "first time on a machine Kafka is fetched and the items' vectors are made on top of that."
    )


def cut_log(options: DemoOptions) -> DemoLog:
    """Announcements first; of the events the last few at a steady rate."""
    items: list[Line] = []
    events: list[Line] = []
    for line in read_log(options.log):
        if isinstance(line, LogRecord) and line.topic is Topic.ITEMS:
            items.append(line)
        elif options.events is None or len(events) < options.events:
            events.append(line)
    steady = min(options.steady_events, len(events) // 2)
    return DemoLog(items, events[: len(events) - steady], events[len(events) - steady :])


def child_environ(options: DemoOptions, log: DemoLog) -> dict[str, str]:
    """The first tenth of the events warms the figures up, as the protocol says."""
    found = {
        "UPWELL_TEST_SAMPLE": str(options.test_sample),
        "UPWELL_WARMUP_EXAMPLES": str(log.events // WARMUP_SHARE),
    }
    return found | (_budget(log) if options.private else {})


def _budget(log: DemoLog) -> dict[str, str]:
    """ε 8, and δ one in as many users as the log has."""
    lines = (*log.bulk, *log.steady)
    users = {one.key for one in lines if isinstance(one, LogRecord)}
    delta = min(0.1, 1.0 / max(1, len(users)))
    return {"UPWELL_PRIVATE_EPSILON": "8", "UPWELL_PRIVATE_DELTA": f"{delta:.6g}"}
