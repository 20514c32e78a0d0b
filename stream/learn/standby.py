"""A learner that waits for its turn while another one learns, and says so: once in its log, each
second on `metrics`.

It looks at the group from outside, so that the holder never has to join again for it; the broker
takes a holder that died out of the group when its session is over (docs/decisions/0028).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import orjson
from kafka import TopicPartition
from kafka.errors import AuthorizationError, KafkaError

from learner.release import checkpoint
from stream.broker.away import Patience
from stream.broker.feeds import read_partition
from stream.broker.model_records import KIND, ROLLBACK, VERSION, Version
from stream.chain.publish import Outgoing
from stream.learn.lock import LearnerLock
from stream.learn.options import LearnOptions
from stream.learn.topics import Sender
from upwell.errors import SettingsError
from upwell.events import Topic
from upwell.system.outage import Outage

__all__ = ["announced", "check_shared", "standby_record", "take_turn"]

LOOK_SECONDS = 0.5
SAY_SECONDS = 1.0
CHECK_SECONDS = 10.0
"""Between two looks for the first announced checkpoint."""

log = logging.getLogger("upwell.learn")


def take_turn(
    lock: LearnerLock,
    options: LearnOptions,
    clock_ms: Callable[[], int],
    stopped: Callable[[], bool],
) -> bool:
    """True once the lock is held, False where this process is told to end before.

    Raises `SettingsError` where another engine learns and this one is `alone`, or the other one's
    checkpoints are not in this one's folder; `KafkaError`, `BrokerError` as the lock does.
    """
    if options.alone:
        lock.take()
    elif Patience("learn").call(lock.others) or not lock.try_take():
        with closing(Sender(options.client, options.prefix, lock, options.show)) as sender:
            if not _Waiting(lock, options, clock_ms, sender).wait(stopped):
                return False
    if lock.before != options.engine:
        check_shared(options)
    return True


class _Waiting:
    """Until the lock is held, or the process is told to end."""

    def __init__(
        self,
        lock: LearnerLock,
        options: LearnOptions,
        clock_ms: Callable[[], int],
        sender: Sender,
    ) -> None:
        self._lock = lock
        self._options = options
        self._clock_ms = clock_ms
        self._sender = sender
        self._holder = ""
        self._shared = False
        self._said_ms = self._checked_ms = 0

    def wait(self, stopped: Callable[[], bool]) -> bool:
        """As `take_turn`. A broker that is away is waited for, however long."""
        outage = Outage(log, "standby: the broker", time.monotonic)
        while not stopped():
            try:
                if self._look():
                    return True
                outage.over()
            except AuthorizationError:
                raise
            except KafkaError as exc:
                outage.lasts(type(exc).__name__)
            time.sleep(LOOK_SECONDS)
        self._say(leaves=True)
        return False

    def _look(self) -> bool:
        """Whether the lock is held now."""
        others = self._lock.others()
        if not others and self._lock.try_take():
            log.info("%s learns no more: this engine does", self._holder or "nobody")
            self._say(leaves=True)
            return True
        if others and others[0] != self._holder:
            self._holder = others[0]
            log.info("standby: %s learns; waiting until it does not", self._holder)
        now_ms = self._clock_ms()
        if not self._shared and now_ms - self._checked_ms >= CHECK_SECONDS * 1000:
            self._shared, self._checked_ms = check_shared(self._options), now_ms
        if now_ms - self._said_ms >= SAY_SECONDS * 1000:
            self._said_ms = now_ms
            self._say()
        return False

    def _say(self, leaves: bool = False) -> None:
        now_ms = self._clock_ms()
        self._sender.send(standby_record(self._options.engine, self._holder, now_ms, leaves))


def check_shared(options: LearnOptions) -> bool:
    """Whether the checkpoint that was announced last is where this engine looks for it; False where
    none has been announced.

    Raises `SettingsError` where it is not there: what this engine would publish is another model.
    """
    newest = announced(options.client, options.prefix)
    while newest is not None:
        if checkpoint.holds(options.folder, newest.file, newest.sha256):
            return True
        before, newest = newest, announced(options.client, options.prefix)
        if newest == before:  # else it was replaced while this one looked
            raise SettingsError(
                f"the checkpoint {newest.file} that {options.prefix}{Topic.MODELS} announces is "
                f"not in {options.folder.address}: set UPWELL_MODELS to one place for all machines "
                "that learn or serve (docs/scaling.md)"
            )
    return False


def announced(client: Mapping[str, Any], prefix: str) -> Version | None:
    """The version that `models` names last. Raises `KafkaError`, `BrokerError`, `ModelError`."""
    found = None
    for record in read_partition(client, TopicPartition(prefix + Topic.MODELS, 0), 0):
        if dict(record.headers or ()).get(KIND) in (VERSION, ROLLBACK):
            found = Version.read(record.value)
    return found


def standby_record(engine: str, holder: str, at: int, leaves: bool = False) -> Outgoing:
    """What a standby says of itself on `metrics`. holder: whom it waits for. at: UTC ms."""
    name = f"standby-{engine}"
    said = {
        "role": "standby",
        "instance": name,
        "at": at,
        "engine": engine,
        "waits_for": holder,
        "leaves": leaves,
    }
    return Outgoing(Topic.METRICS, name.encode(), orjson.dumps(said))
