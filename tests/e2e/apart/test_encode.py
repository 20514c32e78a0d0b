"""Texts encoded apart, on a real broker: serve workers load no model, their lists are those of an
engine that encodes itself, and no death of an encode worker loses one.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from stream.broker.feeds import Broadcast
from stream.broker.topics import ensure_topics
from stream.encode.topics import EncodeTopic
from stream.metrics.record import parse_record
from stream.ops.supervise import Supervisor
from tests.e2e.engine import wait_until
from tests.e2e.test_encoder import adapted
from tests.encoders.tiny import tiny_model
from upwell.client import UpwellClient, client_options
from upwell.errors import SettingsError
from upwell.events import Topic
from upwell.recommendations import Recommendations
from upwell.settings import load_settings

WORDS = (
    "robot",
    "love",
    "war",
    "garden",
    "piano",
    "desert",
    "winter",
    "river",
    "clown",
    "mirror",
    "ghost",
    "train",
)
ITEMS = {
    f"i{number}": f"the {one} and the {WORDS[(number * 5 + 1 + number // 12) % len(WORDS)]}"
    for number, one in enumerate(WORDS * 2)
}
QUERIES = [f"a film about a {one}, call 555 123 4567" for one in WORDS]
WORKER = (sys.executable, "-P", "-m", "upwell", "worker")


class Part:
    """Processes of one prefix, each role under a supervisor of its own, and what they say."""

    def __init__(self, kafka: str, prefix: str, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.environ = {
            "UPWELL_KAFKA": kafka,
            "UPWELL_PREFIX": prefix,
            "UPWELL_FUSED": "off",
            "UPWELL_DEVICE": "cpu",
            "UPWELL_ENCODER_ENGINE": "torch",
            "UPWELL_LIST_K": str(len(ITEMS)),
            **environ,
        }
        self.settings = load_settings(self.environ)
        client = client_options(self.settings.kafka)
        ensure_topics(prefix, self.settings.kafka.partitions, client)
        self._metrics = Broadcast(prefix + Topic.METRICS, client)
        self._said: dict[str, dict[str, Any]] = {}

    @contextmanager
    def runs(self, role: str, name: str) -> Iterator[Supervisor]:
        home = self.folder / name
        own = {**os.environ, **self.environ, "UPWELL_INSTANCE": name, "UPWELL_DATA": str(home)}
        with Supervisor(WORKER, own, home, (role,)) as supervisor:
            yield supervisor

    def said(self, name: str) -> dict[str, Any]:
        """The newest record of a worker, empty before its first."""
        for record in self._metrics.drain():
            if (one := parse_record(record.value or b"")) is not None:
                self._said[one["instance"]] = one
        return self._said.get(name, {})

    def log(self, role: str, name: str) -> str:
        """In one line: a terminal's lines are wrapped."""
        return " ".join((self.folder / name / f"{role}.log").read_text().split())

    def announce(self) -> None:
        with UpwellClient(self.settings.kafka.address or "", self.settings.kafka) as upwell:
            for item_id, title in ITEMS.items():
                upwell.item(item_id, title)
            upwell.flush()

    def lists(self, user: str, queries: Iterable[str]) -> list[Recommendations]:
        """One a query, each sent when the one before is answered."""
        with UpwellClient(self.settings.kafka.address or "", self.settings.kafka) as upwell:
            came = upwell.lists(timeout=120)
            found = []
            for number, text in enumerate(queries):
                trigger = upwell.query(f"{user}-{number}", text).event_id
                found.append(next(one for one in came if one.trigger == trigger))
            return found

    def all_lists(self, stack: ExitStack) -> list[Recommendations]:
        """With all items, of a serve worker that has or has not a model of its own."""
        self.announce()
        serve = stack.enter_context(self.runs("serve", "serve-0"))
        apart = self.settings.encoder.by == "encode"
        encode = stack.enter_context(self.runs("encode", "a")) if apart else serve
        wait_until(lambda: self.said("serve-0").get("items") == len(ITEMS), "the catalogue")
        # ranking takes items in a little later than they are known
        wait_until(lambda: len(self.lists("b", QUERIES[:1])[0].items) == len(ITEMS), "all items")
        found = self.lists("u", QUERIES)
        assert ("libtorch" in loaded(serve.pids["serve"])) == (not apart)
        assert "libtorch" in loaded(next(iter(encode.pids.values())))
        if apart:
            assert loaded(serve.pids["serve"]) == set()
            assert self.said("serve-0")["encoded_tokens"] == 0
            wait_until(lambda: self.said("encode-a")["encode"]["texts"]["items"] > 0, "items")
        return found

    def __enter__(self) -> Part:
        self._metrics.start(last=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._metrics.stop()


@contextmanager
def kept_alive(supervisor: Supervisor) -> Iterator[None]:
    """What falls is started again, by a thread: this one waits for lists."""
    done = threading.Event()
    thread = threading.Thread(target=lambda: supervisor.watch(until=done.is_set))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def loaded(pid: int) -> set[str]:
    """Which of the libraries that compute a model a process has in memory."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return {name for name in ("libtorch", "openvino", "transformers") if name in maps}


def told(lists: list[Recommendations]) -> list[list[str]]:
    return [[one.item_id for one in each.items] for each in lists]


def scores(lists: list[Recommendations]) -> list[float]:
    return [one.score for each in lists for one in each.items]


@pytest.mark.timeout(400)
def test_lists_are_those_of_an_engine_that_encodes_itself_and_serve_loads_no_model(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    model = {"UPWELL_ENCODER": str(tiny_model(tmp_path / "tiny"))}
    by = {"alone": "serve", "apart": "encode"}
    lists = {}
    for name, encoded_by in by.items():
        own = {**model, "UPWELL_ENCODED_BY": encoded_by}
        with Part(kafka, f"{prefix}{name}.", tmp_path / name, **own) as part, ExitStack() as stack:
            lists[name] = part.all_lists(stack)
    assert told(lists["apart"]) == told(lists["alone"])
    assert scores(lists["apart"]) == pytest.approx(scores(lists["alone"]), abs=1e-4)
    assert len({tuple(one) for one in told(lists["alone"])}) > 1, "lists follow the words"
    asked = Broadcast(f"{prefix}apart.{EncodeTopic.TEXTS}", {"bootstrap_servers": kafka})
    asked.start()
    texts = [one.value or b"" for one in asked.drain()]
    asked.stop()
    assert len(texts) >= len(QUERIES)
    assert not [one for one in texts if b"4567" in one], "only scrubbed words leave serve"


@pytest.mark.timeout(400)
def test_a_killed_encode_worker_loses_nothing_and_two_share(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    model = {"UPWELL_ENCODER": str(tiny_model(tmp_path / "tiny"))}
    own = {**model, "UPWELL_ENCODED_BY": "encode"}
    with (
        Part(kafka, prefix, tmp_path, **own) as part,
        part.runs("serve", "serve-0") as serve,
        UpwellClient(kafka, part.settings.kafka) as upwell,
    ):
        part.announce()
        pid = serve.pids["serve"]
        came = upwell.lists(timeout=120)
        sent = {upwell.query(f"u-{number}", "a robot").event_id for number in range(20)}
        upwell.click("u-x", "i0")
        upwell.flush()
        wait_until(
            lambda: part.said("serve-0").get("encode_waits", {}).get("users", 0) > 15, "a wait"
        )
        assert part.said("serve-0")["beats"]["users"] < 5, "it waits, it does not stand still"
        with part.runs("encode", "a") as first, kept_alive(first):
            while sent:
                sent.discard(next(came).trigger)
            for number in range(60):
                upwell.query(f"u-{number}", "war " * (number + 1))
            upwell.flush()
            os.kill(first.pids["encode"], signal.SIGKILL)
            last = {
                f"u-{number}": upwell.query(f"u-{number}", f"love {number}").event_id
                for number in range(60)
            }
            upwell.flush()
            while last:
                one = next(came)
                if last.get(one.user_id) == one.trigger:
                    del last[one.user_id]
            with part.runs("encode", "b"):
                wait_until(lambda: bool(part.said("encode-b")), "the second")

                def both() -> bool:
                    lists = part.lists("s", (f"{one} {os.urandom(4).hex()}" for one in WORDS))
                    texts = [part.said(f"encode-{name}")["encode"]["texts"] for name in "ab"]
                    return len(lists) == len(WORDS) and all(one["users"] for one in texts)

                wait_until(both, "both to have encoded")
        assert serve.pids["serve"] == pid
        assert not any(part.said("serve-0")["dead_letters"].values())
    said = part.log("serve", "serve-0")
    quiet = said.count("whoever runs `upwell run --roles encode` does not answer")
    assert quiet == said.count("answers again after")
    assert 1 <= quiet <= 2, "once before the first one came, once more at most after the kill"
    assert "Traceback" not in said


@pytest.mark.timeout(400)
def test_a_worker_of_another_model_is_refused_by_name_and_the_texts_wait_for_the_right_one(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    right = tiny_model(tmp_path / "tiny")
    wrong = adapted(right, tmp_path / "adapted")
    own = {"UPWELL_ENCODER": str(right), "UPWELL_ENCODED_BY": "encode"}
    with (
        Part(kafka, prefix, tmp_path, **own) as part,
        part.runs("serve", "serve-0"),
        UpwellClient(kafka, part.settings.kafka) as upwell,
    ):
        part.announce()
        came = upwell.lists(timeout=120)
        sent = upwell.query("ann", "a robot").event_id
        upwell.flush()
        part.environ["UPWELL_ENCODER"] = str(wrong)
        with (
            pytest.raises(SettingsError, match="encode ended with exit code 2"),
            part.runs("encode", "a") as encode,
        ):
            encode.watch(until=lambda: False)
        assert f"this encode worker's UPWELL_ENCODER is {wrong}" in part.log("encode", "a")
        part.environ["UPWELL_ENCODER"] = str(right)
        with part.runs("encode", "b"):
            assert next(came).trigger == sent
