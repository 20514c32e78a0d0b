"""What it costs that encode workers encode: the round trip of one search's text over a real broker,
beside the same model in this process, and texts a second of a catalogue with one worker and two.

    python bench/apart/round_trip.py LOG [--searches 500] [--texts 1000] [--repeats 3]

The titles are the log's. Workers are processes of `upwell worker encode` with one thread each; who
asks is this process, as a serve worker does, without the cache. A search is asked for when the one
before is answered. Percentiles are of all searches, speeds the median of the repeats.
`way_alone`: of a text that the worker has in its cache. Prints one
JSON object as the last line.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from encoders import load_encoder, model_dimension
from encoders.load import model_revision
from infra.kafka import KafkaBroker
from stream.broker.feeds import Broadcast
from stream.broker.topics import ensure_topics
from stream.chain.catalogue import vectors_of
from stream.encode.asking import AskingEncoder
from stream.encode.posting import KafkaPost
from stream.encode.topics import ENCODE_TOPICS
from stream.metrics.record import parse_record
from stream.ops.supervise import Supervisor
from stream.replay.log import LogRecord, read_log
from upwell.client import client_options
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.settings import Settings, load_settings

PREFIX = "upwell."
READY_SECONDS = 120.0
WARM_UP = 20


def titles(log: Path, count: int) -> list[str]:
    """Of the first items, each once."""
    found = (
        json.loads(line.value)["title"]
        for line in read_log(log)
        if isinstance(line, LogRecord) and line.topic is Topic.ITEMS
    )
    return list(islice(dict.fromkeys(found), count))


@contextmanager
def worker(settings: Settings, environ: Mapping[str, str], name: str) -> Iterator[None]:
    """An encode worker, once it has spoken."""
    feed = Broadcast(PREFIX + Topic.METRICS, client_options(settings.kafka))
    feed.start(last=0)
    command = [sys.executable, "-P", "-m", "upwell", "worker"]
    own = {**os.environ, **environ, "UPWELL_INSTANCE": name}
    try:
        with Supervisor(command, own, Path(environ["UPWELL_DATA"]) / name, ("encode",)):
            deadline = time.monotonic() + READY_SECONDS
            while not any(
                (one := parse_record(record.value or b"")) and one["instance"] == f"encode-{name}"
                for record in feed.drain()
            ):
                if time.monotonic() > deadline:
                    raise SystemExit(f"encode worker {name} has not spoken")
                time.sleep(0.05)
            yield
    finally:
        feed.stop()


def milliseconds(encoder: Encoder, searches: Sequence[str], told: str = "") -> dict[str, float]:
    """told: goes behind each, so that no cache has seen it."""
    taken = []
    for number, text in enumerate([*searches[:WARM_UP], *searches]):
        began = time.perf_counter()
        encoder.encode([f"{text} {told}{number}" if told else text])
        taken.append(1000 * (time.perf_counter() - began))
    parts = statistics.quantiles(taken[WARM_UP:], n=100)
    return {"p50_ms": round(parts[49], 1), "p99_ms": round(parts[98], 1)}


def speed(encoder: Encoder, texts: Sequence[str], repeats: int, round_of: str) -> float:
    taken = []
    for number in range(repeats):
        began = time.perf_counter()
        encoder.encode([f"{text} {round_of}{number}" for text in texts])
        taken.append(len(texts) / (time.perf_counter() - began))
    return round(statistics.median(taken), 1)


def measure(arguments: argparse.Namespace, home: Path) -> dict[str, Any]:
    with ExitStack() as stack:
        broker = stack.enter_context(KafkaBroker(home / "kafka"))
        environ = {
            "UPWELL_KAFKA": broker.address,
            "UPWELL_DATA": str(home),
            "UPWELL_ENCODED_BY": "encode",
            "UPWELL_ENCODER_THREADS": "1",
            "UPWELL_VECTORS": "off",
        }
        settings = load_settings(environ)
        model, client = settings.encoder.model, client_options(settings.kafka)
        ensure_topics(PREFIX, settings.kafka.partitions, client)
        ensure_topics(PREFIX, settings.kafka.partitions, client, ENCODE_TOPICS)
        texts = titles(arguments.log, max(arguments.texts, arguments.searches))
        searches, catalogue = texts[: arguments.searches], texts[: arguments.texts]
        with closing(load_encoder(model, threads=1, cache_entries=0)) as own:
            here = milliseconds(own, searches, "h")
            here["texts_per_s"] = speed(own.in_bulk(), catalogue, arguments.repeats, "h")
            revision = own.revision
        name = model_revision(model)
        asking = stack.enter_context(
            closing(AskingEncoder(name, vectors_of(name), model_dimension(model), 0))
        )
        asking.connect(KafkaPost(client, PREFIX, 0, asking.take))
        stack.enter_context(worker(settings, environ, "a"))
        one = milliseconds(asking, searches, "a")
        way = milliseconds(asking, searches[:1] * len(searches))
        one["texts_per_s"] = speed(asking.in_bulk(), catalogue, arguments.repeats, "a")
        stack.enter_context(worker(settings, environ, "b"))
        asking.in_bulk().encode(catalogue)  # the group has shared its partitions since
        two = speed(asking.in_bulk(), catalogue, arguments.repeats, "b")
    return {
        "revision": revision,
        "here": here,
        "one_worker": one,
        "way_alone": way,
        "two_workers_texts_per_s": two,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--searches", type=int, default=500)
    parser.add_argument("--texts", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    run = BenchRun(__file__, arguments, arguments.log)
    busy = load()
    with tempfile.TemporaryDirectory() as home:
        found = measure(arguments, Path(home))
    run.tell({"hardware": hardware(), "load": busy, **found})


if __name__ == "__main__":
    main()
