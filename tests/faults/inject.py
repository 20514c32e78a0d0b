"""Faults inside a worker, at exact places of its chain: what `kill -9` from outside hits only by
luck.

Each is named by where the process ends, or by what fails there. Installed in the worker's own
process, for its whole life.
"""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np

from upwell.events import Topic
from upwell.system import files
from upwell.system.clock import now_ms

__all__ = ["CLOCK", "HANG", "NAN", "POINTS", "Fault", "around_topic", "die", "install"]

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Fault:
    """point: one of `POINTS`, `CLOCK`, `NAN`, `HANG`, or of `DECISIONS` in `scenarios.words`.
    passes: how often the place is passed before the fault strikes.
    """

    point: str
    passes: int = 0


class _Countdown:
    """True once, at the pass after `passes` others."""

    def __init__(self, passes: int) -> None:
        self._left = passes

    def __call__(self) -> bool:
        self._left -= 1
        return self._left == -1


def install(fault: Fault) -> None:
    """Arm this process."""
    from tests.faults.scenarios.words import DECISIONS

    more = {CLOCK: _clock_jumps, NAN: _nan_from_encoder, HANG: _item_chain_hangs}
    {**POINTS, **DECISIONS, **more}[fault.point](_Countdown(fault.passes))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _within_store_write(now: Callable[[], bool]) -> None:
    """Half of the batch's users are written."""
    from store.point_store import PointStore

    write = PointStore.write_users

    def half(store: PointStore, states: Any) -> Any:
        if now():
            write(store, states[: len(states) // 2])
            die()
        return write(store, states)

    patch.object(PointStore, "write_users", half).start()


def _after_store_write(now: Callable[[], bool]) -> None:
    """The users are written, no list is out."""
    _around_send(now, before=lambda one: False)


def _after_lists(now: Callable[[], bool]) -> None:
    """The lists are out, no example is."""
    _around_send(now, before=lambda one: one.topic is not Topic.EXAMPLES)


def _after_examples(now: Callable[[], bool]) -> None:
    """All is out, nothing is acknowledged."""
    _around_send(now, before=lambda one: True)


def _around_send(now: Callable[[], bool], before: Callable[[Any], bool]) -> None:
    """Die once those of a batch's records for which `before` holds are with the broker."""
    around_topic(now, Topic.EXAMPLES, before)


def around_topic(now: Callable[[], bool], topic: Topic, before: Callable[[Any], bool]) -> None:
    """As `_around_send`, at a batch that has something for this topic."""
    from stream.serve import agents

    send = agents.send

    async def stop_short(app: Any, prefix: str, outgoing: Iterable[Any]) -> None:
        records = list(outgoing)
        if any(one.topic is topic for one in records) and now():
            await send(app, prefix, [one for one in records if before(one)])
            die()
        await send(app, prefix, records)

    patch.object(agents, "send", stop_short).start()


def _among_acknowledgements(now: Callable[[], bool]) -> None:
    """Some of a batch's records are acknowledged, and what they allow may be committed."""
    from faust.streams import Stream

    ack = Stream.ack

    async def stop(stream: Any, event: Any) -> bool:
        acknowledged = bool(await ack(stream, event))
        if now():
            await stream.app.consumer.commit()
            die()
        return acknowledged

    patch.object(Stream, "ack", stop).start()


def _within_checkpoint(now: Callable[[], bool]) -> None:
    """Half of the arrays' file is on the disk, under its temporary name."""
    from learner.release import folder

    write = files.write_whole

    def half(path: Any, data: bytes) -> None:
        if now():
            path.with_name(path.name + ".tmp").write_bytes(data[: len(data) // 2])
            die()
        write(path, data)

    patch.object(folder, "write_whole", half).start()


def _before_checkpoint_head(now: Callable[[], bool]) -> None:
    """The arrays' file stands, its JSON is missing: the checkpoint does not count."""
    from learner.release import folder

    write = files.write_whole

    def stop(path: Any, data: bytes) -> None:
        if path.suffix == ".json" and now():
            die()
        write(path, data)

    patch.object(folder, "write_whole", stop).start()


def _before_version(now: Callable[[], bool]) -> None:
    """The checkpoint stands, but nobody was told."""
    _around_model_record(now, "version_record", sent=False)


def _before_delta(now: Callable[[], bool]) -> None:
    """The delta was taken from the learner and never sent."""
    _around_model_record(now, "delta_record", sent=False)


def _after_delta(now: Callable[[], bool]) -> None:
    """The delta is out, its examples are in no checkpoint: they are learned, and sent, again."""
    _around_model_record(now, "delta_record", sent=True)


def _around_model_record(now: Callable[[], bool], maker: str, sent: bool) -> None:
    from stream.learn import loop as learn
    from stream.learn.topics import Sender

    make, send, armed = getattr(learn, maker), Sender.send, []

    def marked(*arguments: Any) -> Any:
        record = make(*arguments)
        if now():
            armed.append(record)
        return record

    def stop(sender: Any, one: Any) -> int:
        if one in armed:
            if sent:
                send(sender, one)
            die()
        return send(sender, one)

    patch.object(learn, maker, marked).start()
    patch.object(Sender, "send", stop).start()


def _disk_full_at_checkpoint(now: Callable[[], bool]) -> None:
    """The system says ENOSPC when the checkpoint is written."""
    from learner.release import folder

    write = files.write_whole

    def full(path: Any, data: bytes) -> None:
        if now():
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    patch.object(folder, "write_whole", full).start()


def _disk_full_at_store(now: Callable[[], bool]) -> None:
    """The store's folder has no byte left when a batch is to be written."""
    usage = shutil.disk_usage

    def none_left(path: Any) -> Any:
        return usage(path)._replace(free=0) if now() else usage(path)

    patch.object(shutil, "disk_usage", none_left).start()


def _nan_from_encoder(now: Callable[[], bool]) -> None:
    """The language model gives NaN for an item's text."""
    from encoders.hashing import HashingEncoder

    encode = HashingEncoder.encode

    def broken(encoder: HashingEncoder, texts: Any) -> Any:
        vectors = encode(encoder, texts)
        return np.full_like(vectors, np.nan) if now() else vectors

    patch.object(HashingEncoder, "encode", broken).start()


def _clock_jumps(now: Callable[[], bool]) -> None:
    """The system's clock is a day ahead at every other look, and right at the others."""
    from stream.learn import run as learn
    from stream.serve import agents, worker

    right, looks = now_ms, itertools.count()

    def jumping() -> int:
        return right() + DAY_MS * (next(looks) % 2)

    for module in (agents, worker, learn):
        patch.object(module, "now_ms", jumping).start()


def _reader_fails(topic: Topic, now: Callable[[], bool]) -> None:
    """kafka-python raises something of its own in the thread that reads `topic`."""
    from stream.broker.feeds import Broadcast

    poll = Broadcast._poll

    def failing(feed: Broadcast) -> None:
        if threading.current_thread().name.endswith(topic) and now():
            raise RuntimeError("NetworkSelector closed!")
        poll(feed)

    patch.object(Broadcast, "_poll", failing).start()


def _item_chain_hangs(now: Callable[[], bool]) -> None:
    """The items' chain does not come back from a batch; all else goes on."""
    from stream.chain.items import ItemPipeline

    run = ItemPipeline.run

    def hanging(chain: ItemPipeline, records: Any, now_ms: int) -> Any:
        if now():
            threading.Event().wait()
        return run(chain, records, now_ms)

    patch.object(ItemPipeline, "run", hanging).start()


CLOCK = "the clock jumps by a day, to and fro"
NAN = "the encoder gives NaN for an item"
HANG = "the items' chain hangs"
POINTS: dict[str, Callable[[Callable[[], bool]], None]] = {
    "serve dies within the store write": _within_store_write,
    "serve dies between store write and publish": _after_store_write,
    "serve dies between lists and examples": _after_lists,
    "serve dies between examples and acknowledgement": _after_examples,
    "serve dies among acknowledgements": _among_acknowledgements,
    "learn dies within a checkpoint": _within_checkpoint,
    "learn dies between a checkpoint's two files": _before_checkpoint_head,
    "learn dies between checkpoint and version": _before_version,
    "learn dies before a delta is out": _before_delta,
    "learn dies after a delta is out": _after_delta,
    "learn's disk is full at a checkpoint": _disk_full_at_checkpoint,
    "serve's disk is full at a store write": _disk_full_at_store,
    "serve's reader of the model fails": partial(_reader_fails, Topic.MODELS),
    "serve's reader of erasures fails": partial(_reader_fails, Topic.CONTROLS),
    "learn's reader of the catalogue fails": partial(_reader_fails, Topic.CATALOGUE),
}
