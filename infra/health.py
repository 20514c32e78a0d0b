"""Whether the engine is alive, for a container's health check and for people: `python -m
infra.health [--own | --learner | --encode]` ends with 0 when every worker spoke lately and all its
threads move.

serve and learn write their figures on the topic `metrics` every second: learn from the loop that
does its work, serve with a beat through each thread that works (docs/operations.md). It reads the
newest records there and changes nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from upwell.client import client_options
from upwell.connection import refusal
from upwell.errors import BrokerError, UpwellError
from upwell.events import Topic
from upwell.settings import KafkaSettings, load_settings
from upwell.system.clock import now_ms
from upwell.system.exit_codes import ExitCode
from upwell.system.offsets import ends_of

__all__ = ["Spoken", "main", "unwell"]

LEARN = "learn"
MAX_SILENCE_MS = 60_000
"""More than a checkpoint takes."""
MAX_STILL_SECONDS = 120.0
"""Of a working thread: more than a long micro-batch takes; a call of the encoder ends earlier or is
given up later (`encoders.worker.CALL_SECONDS`).
"""
LOOK_BACK_MS = 600_000
"""A worker that was silent for longer is not looked for, unless it is this one or learn."""
READ_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """One record of `metrics`. at_ms: when the broker took it. beats: seconds since each thread of
    the worker passed. leaves: it ended in order with this record. role: serve, learn or standby.
    engine: whose it is, empty of an older version.
    """

    instance: str
    at_ms: int
    beats: dict[str, float] = field(default_factory=dict)
    leaves: bool = False
    role: str = ""
    engine: str = ""


def unwell(spoken: Iterable[Spoken], expected: Sequence[str], at_ms: int) -> list[str]:
    """What is wrong with whom; empty when all is well.

    spoken: in the order of `metrics`. expected: workers that have to be there; of the others those
    count that were and did not leave.
    """
    last = {one.instance: one for one in spoken}
    found = []
    for name in [*expected, *sorted(set(last) - set(expected))]:
        one = last.get(name)
        if one is None or (one.leaves and name in expected):
            found.append(f"{name} is silent")
        elif one.leaves:
            continue
        elif at_ms - one.at_ms > MAX_SILENCE_MS:
            found.append(f"{name} is silent for {(at_ms - one.at_ms) // 1000} s")
        else:
            found += [
                f"{name}'s thread {thread} stands still for {seconds:.0f} s"
                for thread, seconds in one.beats.items()
                if seconds > MAX_STILL_SECONDS
            ]
    return found


def main(arguments: Sequence[str] = ()) -> int:
    """Prints one line; the exit code is 0 when all is well.

    --own: only of this machine's worker (UPWELL_INSTANCE) and of learn, as a container that would
    be restarted wants it. --learner: only of the learner of this machine's data folder, at work or
    as standby, as a container without a serve worker wants it. --encode: only of this machine's
    encode worker.
    """
    learner, encodes = "--learner" in arguments, "--encode" in arguments
    own = learner or encodes or "--own" in arguments
    try:
        settings = load_settings(os.environ, _settings_file())
        kafka, at_ms = settings.kafka, now_ms()
        name = settings.stream.instance
        expected = [LEARN] if learner else [f"encode-{name}"] if encodes else [name, LEARN]
        spoken = _newest(kafka, at_ms - (MAX_SILENCE_MS if own else LOOK_BACK_MS))
        if learner:
            spoken = _own_learner(spoken, settings.data)
        heard = [one for one in spoken if not own or one.instance in expected]
        wrong = unwell(heard, expected, at_ms)
    except UpwellError as exc:
        sys.stdout.write(f"{exc}\n")
        return exc.exit_code
    except KafkaError as exc:
        sys.stdout.write(
            f"{refusal(client_options(kafka)) or f'metrics cannot be read: {exc!r}'}\n"
        )
        return BrokerError.exit_code
    at_work = ", ".join(dict.fromkeys([*expected, *sorted(_present(heard))]))
    sys.stdout.write(f"{'; '.join(wrong)}\n" if wrong else f"{at_work} are at work\n")
    return ExitCode.FAILED if wrong else ExitCode.DONE


def _present(heard: Iterable[Spoken]) -> set[str]:
    return {one.instance for one in {one.instance: one for one in heard}.values() if not one.leaves}


def _own_learner(spoken: Iterable[Spoken], data: Path) -> list[Spoken]:
    """What the engine on the folder `data` said as learner or standby, all as `learn`: it becomes
    the one or the other, and then leaves nothing but its former role.
    """
    file = data / "engine"  # the name of an engine ends with it
    number = file.read_text() if file.exists() else None
    return [
        replace(one, instance=LEARN)
        for one in spoken
        if number and one.engine.endswith(f"-{number}") and one.role != "serve" and not one.leaves
    ]


def _settings_file() -> Path | None:
    file = Path("upwell.toml")
    return file if file.exists() else None


def _newest(kafka: KafkaSettings, since_ms: int) -> list[Spoken]:
    """What was said on `metrics` since, by the broker's clock."""
    consumer = KafkaConsumer(
        isolation_level="read_committed",
        group_id=None,
        enable_auto_commit=False,
        **client_options(kafka),
    )
    try:
        partition = TopicPartition(kafka.prefix + Topic.METRICS, 0)
        if not consumer.partitions_for_topic(partition.topic):
            return []
        consumer.assign([partition])
        end = ends_of(consumer, [partition])[partition]
        start = consumer.offsets_for_times({partition: since_ms}).get(partition)
        if start is None:
            return []
        consumer.seek(partition, start.offset)
        return _read(consumer, partition, end)
    finally:
        consumer.close()


def _read(consumer: Any, partition: TopicPartition, end: int) -> list[Spoken]:
    found: list[Spoken] = []
    deadline = monotonic() + READ_SECONDS
    while consumer.position(partition) < end and monotonic() < deadline:
        for records in consumer.poll(timeout_ms=200).values():
            found += [_spoken(record) for record in records]
    return found


def _spoken(record: Any) -> Spoken:
    said = orjson.loads(record.value)
    return Spoken(
        said.get("instance", said["role"]),
        record.timestamp,
        said.get("beats", {}),
        said.get("leaves", False),
        said["role"],
        said.get("engine", ""),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
