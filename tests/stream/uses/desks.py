"""A desk's loop in a thread, what is sent to it, and what it has published. On real Kafka."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from kafka import KafkaProducer, TopicPartition

from encoders.hashing import HashingEncoder
from learner.release.folder import LocalFolder
from stream.broker.feeds import read_partition
from stream.broker.topics import ensure_topics
from stream.chain.privacy import Pseudonymizer
from stream.uses.desk import SupportDesk
from stream.uses.loop import UseLoop
from stream.uses.options import UseOptions
from stream.uses.port import Published
from stream.uses.topics import use_topics
from upwell.client import client_options
from upwell.settings import KafkaSettings
from upwell.uses.desk import Answer, Proposal
from upwell.uses.tables import parse_output
from upwell.uses.topics import UseTopic

__all__ = [
    "KEY",
    "PARTITIONS",
    "Producing",
    "Reminding",
    "Running",
    "answers",
    "ask_and_choose",
    "desk_options",
    "read",
    "running",
    "until",
]

KEY = b"k" * 32
PARTITIONS = 2
TEMPLATES = {
    "card": ("Where is my card", ("my card has not arrived", "how do I track the card")),
    "refund": ("Getting a refund", ("I want my money back", "refund this payment please")),
}


def desk_options(kafka: str, prefix: str, folder: Path, dimension: int = 64) -> UseOptions:
    """Of a desk whose topics are there."""
    client = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, PARTITIONS, client)
    ensure_topics(prefix, PARTITIONS, client, use_topics(SupportDesk(64, 0.9)))
    return UseOptions(
        prefix=prefix,
        folder=LocalFolder(folder),
        names=Pseudonymizer(KEY),
        encoder=HashingEncoder(dimension),
        client=client,
        checkpoint_events=7,
    )


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


class Producing:
    def __init__(self, options: UseOptions) -> None:
        self._prefix = options.prefix
        self._producer = KafkaProducer(acks="all", **options.client)
        for template_id, (title, examples) in TEMPLATES.items():
            self.send(
                UseTopic.TEMPLATES,
                template_id,
                {"template_id": template_id, "title": title, "examples": list(examples)},
            )

    def send(self, topic: str, key: str, value: dict[str, Any] | bytes) -> None:
        raw = value if isinstance(value, bytes) else orjson.dumps({"ts": clock_ms(), **value})
        self._producer.send(self._prefix + topic, key=key.encode(), value=raw).get(timeout=30)

    def ask(self, number: int, user: str = "") -> None:
        words = ("where is the card", "money back now")[number % 2]
        asked = {"question_id": f"q{number}", "user_id": user or f"u{number % 5}"}
        self.send(UseTopic.QUESTIONS, asked["user_id"], {**asked, "text": f"{words} {number}"})

    def choose(self, number: int) -> None:
        chosen = {"question_id": f"q{number}", "template_id": ("card", "refund")[number % 2]}
        self.send(UseTopic.CHOICES, f"q{number}", {**chosen, "by": "agent"})

    def close(self) -> None:
        self._producer.close()


class Reminding(SupportDesk):
    """Says by the clock alone, once, that each question was asked."""

    def idle(self, now_ms: int) -> tuple[Published, ...]:
        asked, said = sum(self.figures()["questions"].values()), self._counts["reminded"]
        self._counts["reminded"] = asked
        return tuple(
            Published(
                UseTopic.PROPOSALS,
                f"r{one}",
                Proposal(proposal_id=f"r{one}", ts=now_ms, name="", size=1, examples=()),
            )
            for one in range(said, asked)
        )


class Running:
    """A loop in a thread of its own."""

    def __init__(self, options: UseOptions, use: SupportDesk | None = None) -> None:
        self.use = use or SupportDesk(64, 0.9)
        self.loop = UseLoop(self.use, options, clock_ms)
        self.fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.loop.run()
        except BaseException as exc:
            self.fault = exc

    def ended(self) -> BaseException | None:
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()
        return self.fault

    def stop(self) -> None:
        self.loop.stop()
        assert self.ended() is None


@contextmanager
def running(options: UseOptions, use: SupportDesk | None = None) -> Iterator[Running]:
    one = Running(options, use)
    try:
        yield one
    finally:
        one.loop.stop()
        one.ended()


def read(options: UseOptions, topic: str, partitions: int = PARTITIONS) -> list[Any]:
    """What is committed."""
    return [
        record
        for number in range(partitions)
        for record in read_partition(
            options.client, TopicPartition(options.prefix + topic, number), 0
        )
    ]


def answers(options: UseOptions) -> list[Answer]:
    return [parse_output(Answer, one.value) for one in read(options, UseTopic.ANSWERS)]


def until(holds: Callable[[], bool], seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ask_and_choose(producing: Producing) -> None:
    """Sixty questions, each with its choice, in several batches."""
    for number in range(60):
        producing.ask(number)
        producing.choose(number)
        time.sleep(0.05)  # a batch is what is there
