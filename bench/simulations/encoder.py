"""What a change of encoders in the midst of a log costs: NDCG@10 on its second half beside an
engine that had either encoder all along. With --live: how long lists wait meanwhile.

    python bench/simulations/encoder.py LOG FOLDER [--ratings N] [--live] [--rate R]

FOLDER: of the candidate (`upwell adapt`); the other one is the settings'. Every target is ranked
over the whole announced catalogue with the state before it. `rotated` is what the engine does,
`raw` leaves out the rotation. --live: real Kafka and the engine's own processes, R ratings a second
in an open loop; 10 s on, the candidate comes into force, and 5 s after all items were made anew it
is rolled back. Latency: from when an event reached the broker until its list did. Prints a table,
then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware
from bench.peers.run import SLICES
from bench.prequential import BATCH, Log, load_log
from bench.results.bench_run import BenchRun
from encoders import in_bulk, kept_folder, load_encoder
from encoders.adapt.alignment import Alignment, fitted
from stream.broker.encoders import Named
from stream.broker.feeds import Broadcast
from stream.broker.lag import Lag
from stream.chain.catalogue import item_text, vectors_of
from stream.chain.publish import TRIGGER_APPENDED
from stream.ops.cluster import Cluster, Metrics, running_cluster, settled
from stream.ops.encoder.service import put_into_force, roll_back
from stream.ops.encoder.trial import make_ready
from stream.replay.inline import InlineEngine
from stream.replay.log import BadLine, LogRecord
from stream.replay.player import Pace, Player
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.settings import Settings, load_settings
from upwell.values import CatalogueItem, UserState, Vector

BEFORE_S, AFTER_S, ENOUGH_S = 10.0, 5.0, 300.0
SEEN = 2_000
"""Ratings that the running engine has before."""


class Either:
    """An encoder that may be replaced; alignment: of what comes out."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.alignment = encoder, None  # type: Encoder, Alignment | None

    @property
    def dimension(self) -> int:
        return self.encoder.dimension

    @property
    def revision(self) -> str:
        return f"{self.encoder.revision}{'' if self.alignment is None else '+'}"

    def encode(self, texts: Sequence[str]) -> Vector:
        found = self.encoder.encode(texts)
        return found if self.alignment is None else self.alignment.turned(found)


class Half:
    """An engine at half of the log, and what it is worth on the other half."""

    def __init__(self, log: Log, settings: Settings, encoder: Encoder) -> None:
        self.log, self.encoder = log, Either(encoder)
        self.engine = InlineEngine(settings, self.encoder)
        for part in (log.items, log.events[: len(log.events) // 2]):
            for _ in self.engine.play(part, BATCH):
                pass

    def items(self) -> list[CatalogueItem]:
        ids = list(dict.fromkeys(orjson.loads(one.value)["item_id"] for one in self.log.items))
        return [one for item_id in ids if (one := self.engine.catalogue.get(item_id)) is not None]

    def change(self, encoder: Encoder, alignment: Alignment | None) -> None:
        self.encoder.encoder, self.encoder.alignment = encoder, alignment
        vectors = self.encoder.encode([item_text(one) for one in self.items()])
        made = [
            replace(one, vector=vector, revision=self.encoder.revision)
            for one, vector in zip(self.items(), vectors, strict=True)
        ]
        self.engine._announce(made)  # noqa: SLF001 -- as the catalogue's topic would

    def states(self) -> dict[str, UserState]:
        return dict(self.engine.users._hot)  # noqa: SLF001

    def ndcg10(self) -> dict[str, float]:
        self.engine.learner.figures.reset()
        for _ in self.engine.play(self.log.events[len(self.log.events) // 2 :], BATCH):
            pass
        return {name: float(one) for name, one in self.engine.learner.figures.ndcg10().items()}


def quality(log: Log, settings: Settings, folder: str) -> dict[str, Any]:
    """Of all four, and how far apart vectors and users' intents are."""
    old, new = (
        in_bulk(load_encoder(one, vectors=kept_folder(settings.encoder.vectors), aligned=False))
        for one in (settings.encoder.model, folder)
    )
    held, refolded = Half(log, settings, old), Half(log, settings, new)
    before, after = (np.stack([one.vector for one in half.items()]) for half in (held, refolded))
    alignment = fitted(after, before)
    found: dict[str, Any] = {
        "cosine": {
            "raw": _cosines(before, after),
            "rotated": _cosines(before, alignment.turned(after)),
        },
        "intents": _intents(held, refolded, alignment),
        "ndcg10": {"old all along": held.ndcg10(), "new all along": refolded.ndcg10()},
    }
    for name, turned in (("raw", None), ("rotated", alignment)):
        half = Half(log, settings, old)
        half.change(new, turned)
        found["ndcg10"][f"changed, {name}"] = half.ndcg10()
    return found


def _cosines(one: Vector, other: Vector) -> dict[str, float]:
    found = np.einsum("nd,nd->n", one, other)
    return {"mean": float(found.mean()), "least": float(found.min())}


def _intents(held: Half, refolded: Half, alignment: Alignment) -> dict[str, float]:
    """Of each user, as it stands at the change, with what folding all anew would give."""
    exact = refolded.states()
    pairs = [
        (state.intent, alignment.turned(exact[user].intent[None])[0])
        for user, state in held.states().items()
        if np.any(state.intent)
    ]
    one, other = (np.stack(side) for side in zip(*pairs, strict=True))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    found = np.einsum("nd,nd->n", one, other) / lengths
    return {"mean": float(found.mean()), "least": float(found.min()), "users": len(found)}


def live(log: Log, settings: Settings, folder: str, rate: float) -> dict[str, Any]:
    """A running engine: seconds of each part, and the latencies in them."""
    with tempfile.TemporaryDirectory(prefix="upwell-bench-") as data:
        own = replace(settings, data=Path(data))
        environ = {"UPWELL_VECTORS": f"{data}/vectors"}
        own = replace(own, encoder=replace(own.encoder, vectors=environ["UPWELL_VECTORS"]))
        with running_cluster(own, environ, own.data / "logs", own.data / "broker.json", _say) as up:
            return _watched(up, log, folder, rate)


def _watched(up: Cluster, log: Log, folder: str, rate: float) -> dict[str, Any]:
    metrics, prefix = Metrics(up.settings), up.settings.kafka.prefix
    metrics.start()
    with Lag(up.client, prefix) as lag, Player(up.client, prefix, _bad, lambda: None) as player:
        up.wait(metrics.ready, 120, "both to report")
        player.play([*log.items, *log.events[:SEEN]], Pace())
        up.wait(lambda: settled(lag, metrics), ENOUGH_S, "the catalogue and first ratings")
        began = time.monotonic()
        ready = make_ready(up.settings, folder, _say)
        marks = {"encoded": time.monotonic() - began}
        lists = Broadcast(prefix + Topic.RECOMMENDATIONS, up.client)
        lists.start(last=0)
        with _sending(up, log.events[SEEN:], rate):
            up.wait(_after(BEFORE_S), ENOUGH_S, "lists as they are")
            times = [_now()]
            put_into_force(up.settings, ready, _now())
            up.wait(lambda: _stands(metrics, ready.encoder), ENOUGH_S, "the candidate")
            times.append(_now())
            up.wait(_after(AFTER_S), ENOUGH_S, "lists by the candidate")
            times.append(_now())
            roll_back(up.settings, _now())
            up.wait(lambda: _stands(metrics, ready.before), ENOUGH_S, "the one before")
            times.append(_now())
        up.wait(lambda: settled(lag, metrics), ENOUGH_S, "the rest")
        records = [one for one in lists.drain() if TRIGGER_APPENDED in one.headers]
        lists.stop()
    metrics.stop()
    spans = zip(("before", "changing", "changed", "going back"), [0, *times], times, strict=False)
    marks |= {"changing": (times[1] - times[0]) / 1000, "going back": (times[3] - times[2]) / 1000}
    waits = [(int(one.headers[TRIGGER_APPENDED]), one.appended_ms) for one in records]
    return {
        "seconds": marks,
        "latency_ms": {
            name: _percentiles([put - came for came, put in waits if start <= came < end])
            for name, start, end in spans
        },
    }


def _stands(metrics: Metrics, named: Named) -> bool:
    serve = metrics.newest("serve")
    return vectors_of(serve["encoder"]) == named.vectors and not serve["to_renew"]


def _percentiles(waits: Sequence[int]) -> dict[str, float]:
    if not waits:
        return {"lists": 0}
    p50, p99, most = (float(np.percentile(waits, share)) for share in (50, 99, 100))
    return {"lists": len(waits), "p50": p50, "p99": p99, "max": most}


@contextmanager
def _sending(up: Cluster, events: Sequence[LogRecord], rate: float) -> Iterator[None]:
    """All the while, each when it is due."""
    over = threading.Event()

    def send() -> None:
        with Player(up.client, up.settings.kafka.prefix, _bad, lambda: None) as player:
            began = time.monotonic()
            for number, one in enumerate(events):
                if over.wait(max(0.0, began + number / rate - time.monotonic())):
                    return
                player.play([one], Pace())
        raise AssertionError("all ratings were sent before the end: name more of them")

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _after(seconds: float) -> Any:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until


def _now() -> int:
    return time.time_ns() // 1_000_000


def _say(words: str) -> None:
    print(words, file=sys.stderr)


def _bad(line: BadLine) -> None:
    _say(str(line))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("folder")
    parser.add_argument("--ratings", type=int, default=8_000)
    parser.add_argument("--live", action="store_true", help="a running engine too")
    parser.add_argument("--rate", type=float, default=50.0, help="ratings a second")
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    tested = replace(settings, learner=replace(settings.learner, seed=7, test_sample=1.0))
    log = load_log(arguments.log, None, arguments.ratings)
    result: dict[str, Any] = {"log": str(arguments.log), "hardware": hardware()}
    if arguments.live:
        result["live"] = live(log, settings, arguments.folder, arguments.rate)
    else:
        result |= quality(log, tested, arguments.folder)
        table = Table("NDCG@10, second half", *SLICES)
        for name, row in result["ndcg10"].items():
            table.add_row(name, *(f"{row[one]:.4f}" for one in SLICES))
        Console(width=100).print(table)
    tracked.tell(result)


if __name__ == "__main__":
    main()
