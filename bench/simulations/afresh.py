"""What it takes to begin afresh without a user, and how far what comes of it is from a learner that
never saw them: `python -m bench.simulations.afresh LOG`.

One engine learns the first ratings of a log and is asked to forget a user; what it gave to
`examples`, one partition, is read once more by a second learner as the learn process does it. Its
counts are held against those of an engine that learned the log without the user, as
`bench.simulations.forgotten` does; its version, a digest of all that ranks, against that of a
learner that read the examples without the user's.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from bench.hardware import hardware, load
from bench.prequential import load_log
from bench.results.bench_run import BenchRun
from bench.simulations.forgotten import counted, learned, off, sent
from encoders.hashing import HashingEncoder
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from stream.chain.wire import encode_erasure, encode_examples
from stream.learn.afresh.retained import Erased, in_order
from stream.learn.afresh.second import Second
from stream.learn.options import LearnOptions
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.settings import Settings, load_settings
from upwell.values import CatalogueItem, Example

BATCH, DIMENSION = 16, 64
NOWHERE = Path("nowhere")
OPTIONS = LearnOptions(
    prefix="",
    home=NOWHERE,
    folder=LocalFolder(NOWHERE),
    engine="bench",
    publish_ms=1,
    checkpoint_examples=1,
)


@dataclass(frozen=True)
class Appended:
    """A record of `examples`."""

    partition: int
    offset: int
    timestamp: int
    value: bytes


@dataclass
class Kept:
    """The topic. examples: of each record, none of an erasure."""

    records: list[Appended]
    examples: list[Sequence[Example]]

    def append(self, value: bytes, examples: Sequence[Example] = ()) -> None:
        at = len(self.records)
        self.records.append(Appended(0, at, at, value))
        self.examples.append(examples)

    def read(self, _: int, start: int) -> Iterator[Any]:
        return iter(self.records[start:])

    def without(self, user: str) -> Kept:
        left = Kept([], [])
        for examples in self.examples:
            if others := [one for one in examples if one.user != user]:
                left.append(encode_examples(others), others)
        return left


def settings_of(fused: bool, seed: int) -> Settings:
    settings = load_settings(os.environ, None)
    learner = replace(settings.learner, seed=seed, fused=fused, explore=0.0)
    stream = replace(settings.stream, bot_events=0)
    return replace(settings, learner=learner, stream=stream)


def kept(engine: InlineEngine, lines: Sequence[LogRecord]) -> Kept:
    """What the engine gives to `examples` of the log, in its order."""
    topic = Kept([], [])
    for effects in engine.play(lines, BATCH):
        by_source: dict[str, list[Example]] = {}
        for one in sorted(effects.examples, key=lambda example: example.offset):
            by_source.setdefault(one.source, []).append(one)
        for some in by_source.values():
            topic.append(encode_examples(some), some)
    return topic


def second(topic: Kept, items: Sequence[CatalogueItem], settings: Settings) -> tuple[Second, Any]:
    """It has read the topic; seconds of looking for erasures, and of all that came then."""
    learner = Learner(settings.learner, DIMENSION, settings.learner.seed)
    learner.add_items(items)
    one = Second(learner, OPTIONS, topic.read, lambda: 0)
    one.held.begin({}, {})
    ends = {0: len(topic.records)}
    began, erased = time.perf_counter(), Erased(ends)
    for record in in_order(topic.read, {}, ends):
        if record is not None:
            erased.take(record)
    looked = time.perf_counter()
    for _ in one.read_on(erased, ends):
        pass
    one.finish()
    return one, {"looked_s": looked - began, "learned_s": time.perf_counter() - looked}


def main() -> None:
    """Prints one JSON object last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    run, busy = BenchRun(__file__, arguments, arguments.log), load()
    log = load_log(arguments.log, None, arguments.ratings)
    whose = [str(orjson.loads(record.value)["user_id"]) for record in log.events]
    user = Counter(whose).most_common(1)[0][0]
    events = [one for one, who in zip(log.events, whose, strict=True) if who != user]
    found = {}
    for fused in (False, True):
        settings = settings_of(fused, arguments.seed)
        single = replace(settings, kafka=replace(settings.kafka, partitions=1))
        engine = InlineEngine(single, HashingEncoder(DIMENSION))
        topic = kept(engine, [*log.items, *log.events])
        forget = {"event_id": "forget", "kind": "forget_user", "by": "b", "why": "w"}
        [erasure] = sent(engine, Topic.CONTROLS, user, forget).erasures
        topic.append(encode_erasure(erasure))
        items = [one for one in engine.learner.ranking.catalogue.items if one is not None]
        afresh, took = second(topic, items, settings)
        never, _ = second(topic.without(erasure.user), items, settings)
        shown: dict[str, Any] = {"examples": afresh.learner.learned, **took}
        shown["examples_a_second"] = afresh.learner.learned / sum(took.values())
        shown["version_is_the_same"] = afresh.learner.version == never.learner.version
        if not fused:
            ranking = afresh.learner.ranking
            without = counted(learned(log.items, events, arguments.seed))
            apart = off(ranking.counts.arrays(len(ranking.catalogue)), without)
            shown["counts_off_at_most"] = max(apart.values())
        found["fused" if fused else "counts"] = shown
        print(found, flush=True)
    run.tell({"learners": found, "ratings": len(whose), "load": busy, "hardware": hardware()})


if __name__ == "__main__":
    main()
