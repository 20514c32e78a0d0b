"""The learn process puts a learner that began afresh in the place of its own, on real Kafka."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import KafkaTimeoutError

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from stream.broker.feeds import read_partition
from stream.broker.model_records import KIND, ROLLBACK, Version
from stream.broker.rollback import ask_afresh
from stream.broker.topics import ensure_topics
from stream.chain.effects import Erasure
from stream.chain.wire import encode_erasure, encode_examples
from stream.learn.afresh.afresh import Afresh
from stream.learn.afresh.second import Second
from stream.learn.loop import LearnLoop
from stream.learn.options import LearnOptions
from stream.learn.rollback import BEGAN, newest_afresh
from tests.learner.counted import item_events
from tests.learner.training.small import DIMENSION, SETTINGS, log
from upwell.client import client_options
from upwell.errors import SnapshotError
from upwell.events import Topic
from upwell.settings import KafkaSettings
from upwell.values import Example

NOW = 1_700_000_000_000
GONE, LATER = "u1", "u2"


@pytest.fixture
def options(kafka: str, prefix: str, tmp_path: Path) -> LearnOptions:
    client = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, 2, client)
    return LearnOptions(
        prefix=prefix,
        home=tmp_path,
        folder=LocalFolder(tmp_path),
        engine="test",
        publish_ms=0,
        checkpoint_examples=40,
        client=client,
        relearn=1,
        anew=lambda: Learner(SETTINGS, DIMENSION, 7),
    )


class Run:
    """A learn process; what ended it but a stop is `failed`."""

    def __init__(self, options: LearnOptions) -> None:
        self.learner = Learner(SETTINGS, DIMENSION, 7)
        self.failed: list[BaseException] = []
        self._loop = LearnLoop(self.learner, options, lambda: NOW)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._loop.run()
        except BaseException as exc:
            self.failed.append(exc)

    def wait(self, until: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(1_200):
            assert not self.failed, self.failed
            if until():
                return
            pause.wait(0.1)
        raise AssertionError("it did not come to that within two minutes")

    def stop(self) -> None:
        self._loop.stop()
        self.thread.join(60)


@contextmanager
def learning(options: LearnOptions) -> Iterator[Run]:
    run = Run(options)
    try:
        yield run
    finally:
        run.stop()
    assert not run.failed


def send(options: LearnOptions, values: Sequence[bytes], to: int = 0) -> None:
    with closing(KafkaProducer(acks="all", **options.client)) as producer:
        for value in values:
            producer.send(options.prefix + Topic.EXAMPLES, value=value, partition=to).get(30)


def records(examples: Sequence[Example]) -> list[bytes]:
    return [encode_examples(examples[start : start + 10]) for start in range(0, len(examples), 10)]


def forgotten(user: str, at: int = 0) -> bytes:
    """As of a guest: nothing is confirmed, whose request stands nowhere."""
    return encode_erasure(Erasure(user, "controls-0", at, 1, guest=True))


def events(examples: Sequence[Example], but: Sequence[str]) -> dict[str, int]:
    return dict(Counter(str(one.event.item_id) for one in examples if one.user not in but))


def newest(options: LearnOptions) -> dict[str, Any]:
    found = checkpoint.latest(options.folder)
    return {} if found is None else checkpoint.load(options.folder, found.name)[1]


def announced(options: LearnOptions) -> tuple[bytes, str]:
    """Kind and file of the version that stands last on `models`."""
    place = TopicPartition(options.prefix + Topic.MODELS, 0)
    said = [
        (kind, Version.read(one.value).file)
        for one in read_partition(options.client, place, 0)
        if (kind := dict(one.headers or ()).get(KIND)) in (b"version", ROLLBACK)
    ]
    return said[-1]


@pytest.mark.timeout(300)
def test_who_is_forgotten_leaves_counts_and_versions_and_so_does_the_next_one(
    options: LearnOptions,
) -> None:
    examples, _ = log(300)
    send(options, records(examples[:200]))
    with learning(options) as run:
        run.wait(lambda: item_events(run.learner) == events(examples[:200], ()))
        send(options, [forgotten(GONE)])
        run.wait(lambda: item_events(run.learner) == events(examples[:200], [GONE]))
        [only] = checkpoint.every(options.folder)
        assert announced(options) == (ROLLBACK, only.name)
        send(options, records(examples[200:]))  # of those GONE came back
        wanted = events(examples[:200], [GONE])
        wanted = dict(Counter(wanted) + Counter(events(examples[200:], ())))
        run.wait(lambda: item_events(run.learner) == wanted)
        send(options, [forgotten(LATER, 1)])
        wanted = events(examples[:200], [GONE, LATER])
        wanted = dict(Counter(wanted) + Counter(events(examples[200:], [LATER])))
        run.wait(lambda: item_events(run.learner) == wanted)
    assert newest(options)["shares"] == 0


@pytest.mark.timeout(300)
def test_a_crash_before_it_is_in_place_begins_again_and_one_after_it_announces_it(
    options: LearnOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples, _ = log(200)
    send(options, [*records(examples), forgotten(GONE)])

    def die(*_: object) -> None:
        raise RuntimeError("killed")

    places: list[tuple[type, str]] = [(Second, "finish"), (Afresh, "_put_in_place")]
    for of, name in places:
        with monkeypatch.context() as patched:
            patched.setattr(of, name, die)
            run = Run(options)
            run.thread.join(120)
            assert "killed" in str(run.failed)
    stands = checkpoint.latest(options.folder)
    assert stands is not None
    assert len(checkpoint.every(options.folder)) > 1
    assert announced(options) != (ROLLBACK, stands.name)
    with learning(options) as run:
        run.wait(lambda: announced(options) == (ROLLBACK, stands.name))
        run.wait(lambda: [one.name for one in checkpoint.every(options.folder)] == [stands.name])
        assert item_events(run.learner) == events(examples, [GONE])


@pytest.mark.timeout(300)
def test_where_too_little_is_left_on_the_topic_it_says_so_and_nothing_is_lost(
    options: LearnOptions, caplog: pytest.LogCaptureFixture
) -> None:
    examples, _ = log(200)
    send(options, records(examples))
    off = replace(options, relearn=0)
    with learning(off) as run:
        run.wait(lambda: item_events(run.learner) == events(examples, ()))
    with closing(KafkaAdminClient(**options.client)) as admin:
        admin.delete_records({TopicPartition(options.prefix + Topic.EXAMPLES, 0): 5})
    with caplog.at_level(logging.WARNING, "upwell.learn"), learning(options) as run:
        send(options, [forgotten(GONE)])
        run.wait(lambda: "still holds 150 of the 200 examples" in caplog.text)
        assert item_events(run.learner) == events(examples, ())
    assert newest(options)["shares"] == 1
    with learning(replace(options, relearn_reach=0.75)) as run:
        run.wait(lambda: item_events(run.learner) == events(examples[50:], [GONE]))


@pytest.mark.timeout(300)
def test_so_many_erasures_are_waited_for_and_none_where_it_is_off(options: LearnOptions) -> None:
    examples, _ = log(100)
    send(options, [*records(examples), forgotten(GONE)])
    for often in (0, 2):
        with learning(replace(options, relearn=often)) as run:
            run.wait(lambda: item_events(run.learner) == events(examples, ()))
            run.wait(lambda: newest(options).get("shares") == 1)
    with learning(replace(options, relearn=2)) as run:
        send(options, [forgotten(LATER, 1)])
        run.wait(lambda: item_events(run.learner) == events(examples, [GONE, LATER]))


@pytest.mark.timeout(300)
def test_one_who_does_not_wait_asks_for_it_and_says_how_much_is_enough(
    options: LearnOptions,
) -> None:
    examples, _ = log(200)
    send(options, [*records(examples), forgotten(GONE)])
    off = replace(options, relearn=0)
    with learning(off) as run:
        run.wait(lambda: newest(options).get("shares") == 1)
        with closing(KafkaAdminClient(**options.client)) as admin:
            admin.delete_records({TopicPartition(options.prefix + Topic.EXAMPLES, 0): 5})
        ask_afresh(options.home, 1.0, 60.0)  # too little is left
        ask_afresh(options.home, 0.5, 60.0)
        run.wait(lambda: item_events(run.learner) == events(examples[50:], [GONE]))
        run.wait(lambda: newest_afresh(options.folder) is not None)
    with (
        learning(replace(off, anew=None)),
        pytest.raises(SnapshotError, match="budget of privacy"),
    ):
        ask_afresh(options.home, 1.0, 60.0)


class Ledger:
    """A sender that knows who was forgotten."""

    def forgotten(self) -> tuple[str, ...]:
        return ("a", "b")


def failing(*_: object) -> None:
    raise KafkaTimeoutError("away")


def test_a_checkpoint_from_before_they_were_counted_has_all_of_the_ledger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And a broker that is away is asked again a minute later."""
    where = Path("nowhere")
    options = LearnOptions(
        prefix="p-",
        home=where,
        folder=LocalFolder(where),
        engine="test",
        publish_ms=1,
        checkpoint_examples=1,
        relearn=2,
        anew=lambda: Learner(SETTINGS, DIMENSION, 7),
    )
    now, asked = [0.0], list[float]()
    own = Afresh(options, lambda: NOW, lambda: now[0])

    def start(_: Second) -> None:
        asked.append(now[0])
        failing()

    monkeypatch.setattr(Second, "start", start)
    own.resume({})
    own.met(1)  # which the ledger has too
    for at in (0.0, 59.0, 60.0):
        now[0] = at
        assert not own.step(10, {0: 5}, {}, Ledger())  # type: ignore[arg-type]
    assert own.shares == 2
    assert asked == [0.0, 60.0]
    own.resume({"shares": 1, BEGAN: True})
    now[0] = 600.0
    assert not own.step(10, {0: 5}, {}, Ledger())  # type: ignore[arg-type]
    assert len(asked) == 2
