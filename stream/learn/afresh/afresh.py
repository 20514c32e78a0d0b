"""A second learner that begins afresh, beside the one that runs, without the users who were
forgotten: it reads what `examples` still holds, tests and learns as always, and takes the place of
the first once it has read as far.

It has what time is left between two steps of the first. Nothing of it is kept before it is whole:
after a crash it begins again. Who only reads the topics cannot tell it from a learner that never
saw those users.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

from kafka.errors import AuthorizationError, KafkaError

from learner.release import checkpoint
from stream.broker.model_records import Version, rollback_record
from stream.broker.rollback import AFRESH
from stream.learn.afresh.retained import Erased, Read, ends_of, in_order, part_of
from stream.learn.afresh.second import Second
from stream.learn.options import LearnOptions
from stream.learn.rollback import BEGAN, version_of
from upwell.errors import BrokerError, SettingsError
from upwell.system.errands import answer_errand

if TYPE_CHECKING:
    from stream.learn.topics import Sender

__all__ = ["Afresh"]

SLICE_SECONDS = 0.2
"""Of its time between two steps of the learner that runs."""
LAST_OFFSETS, LAST_SECONDS = 500, 5.0
"""So few it reads in one go, for so long: it would never be level with a busy stream else."""
AGAIN_SECONDS = 60.0
"""After the broker failed."""

log = logging.getLogger("upwell.learn")


class Afresh:
    """Of the learner that runs. shares: erasures since it began, None where it is older than that
    they are counted.
    """

    def __init__(
        self,
        options: LearnOptions,
        clock_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._clock_ms = clock_ms
        self._clock = clock
        self.shares: int | None = 0
        self._second: Second | None = None
        self._work: Generator[None, None, bool] | None = None
        self._until: Mapping[int, int] = {}
        self._not_before = 0.0
        self._unsaid = False
        self._asked: float | None = None  # for how much of what was learned

    def resume(self, meta: Mapping[str, Any]) -> None:
        """The learner that runs goes on from the checkpoint of this `meta`."""
        self.stop()
        self.shares = meta.get("shares")
        self._unsaid = bool(meta.get(BEGAN))

    def met(self, erasures: int) -> None:
        """The learner that runs keeps the share of so many more."""
        if self.shares is not None:
            self.shares += erasures

    def say_again(self, newest: Version | None, sender: Sender) -> None:
        """At the start, of the checkpoint that was resumed: it took the place, and the process may
        have ended before anyone heard of it. Raises `KafkaError`, `BrokerError`, `ModelError`.
        """
        if self._unsaid and newest is not None:
            self._put_in_place(newest, sender)

    def stop(self) -> None:
        """What was begun is dropped."""
        if self._work is not None:
            self._work.close()
        if self._second is not None:
            self._second.stop()
        self._second = self._work = None

    def step(
        self,
        learned: int,
        positions: Mapping[int, int],
        topics: Mapping[str, str],
        sender: Sender,
    ) -> bool:
        """A slice of it, where one is due: whether it is in place now. learned, positions: of the
        learner that runs, who resumes from the newest checkpoint then. Raises `BrokerError` where
        this is not the learner any more, `ModelError`.
        """
        if not self._due(sender):
            return False
        self._until = dict(positions)
        try:
            if self._second is None:
                self._begin(learned)
            level = self._slice()
        except AuthorizationError:
            raise
        except (KafkaError, BrokerError) as exc:
            log.warning("the learner that begins afresh begins again in a while: %s", exc)
            self._wait(AGAIN_SECONDS)
            return False
        if level is False:
            self._asked = None
            self._wait(math.inf)
        elif level and self._second is not None:
            self._take_place(self._second, topics, sender)
        return bool(level)

    def _wait(self, seconds: float) -> None:
        self._not_before = self._clock() + seconds
        self.stop()

    def _due(self, sender: Sender) -> bool:
        answer_errand(self._options.home, AFRESH, self._heed, SettingsError)
        wanted = self._options.relearn
        if self._clock() < self._not_before:
            return False
        if self._asked is not None or not wanted:
            return self._asked is not None
        if self.shares is None:
            self.shares = len(sender.forgotten())
        return self.shares >= wanted

    def _heed(self, asked: Mapping[str, Any]) -> None:
        """Somebody does not wait for so many erasures."""
        if self._options.anew is None:
            raise SettingsError(
                "this learner has a budget of privacy, which would be spent a second time on users "
                "that it has learned from: it does not begin afresh"
            )
        self._asked, self._not_before = float(asked["reach"]), 0.0

    def _begin(self, learned: int) -> None:
        assert self._options.anew is not None, "who sets `relearn` gives it"
        read = part_of(self._options.client, self._options.prefix)
        second = Second(self._options.anew(), self._options, read, self._clock_ms)
        self._second = second
        second.start()
        self._work = self._steps(second, read, learned)
        log.info("a learner begins afresh, without what forgotten users did")

    def _slice(self) -> bool | None:
        """Whether it is level with the learner that runs; None where that is not known yet, False
        where it never will be.
        """
        assert self._work is not None
        until = self._clock() + (LAST_SECONDS if self._nearly_level() else SLICE_SECONDS)
        while self._clock() < until:
            try:
                next(self._work)
            except StopIteration as over:
                return bool(over.value)
        return None

    def _nearly_level(self) -> bool:
        at = {} if self._second is None else self._second.positions
        return sum(end - at.get(one, 0) for one, end in self._until.items()) <= LAST_OFFSETS

    def _steps(self, second: Second, read: Read, learned: int) -> Generator[None, None, bool]:
        ends = ends_of(self._options.client, self._options.prefix)
        erased = Erased(dict(self._until))
        for record in in_order(read, {}, ends):
            if record is not None:
                erased.take(record)
            yield None
        least = self._options.relearn_reach if self._asked is None else self._asked
        if erased.reach < least * learned:
            self._say_short(erased.reach, learned)
            return False
        while second.positions != self._until:
            yield from second.read_on(erased, dict(self._until))
        second.finish()
        return True

    def _say_short(self, reach: int, learned: int) -> None:
        log.warning(
            "no learner begins afresh: %sexamples still holds %d of the %d examples that were "
            "learned, and the rest would be lost; give the topic a longer retention.ms, or set "
            "UPWELL_RELEARN_REACH, or `upwell relearn --reach`, to the share that is enough "
            "(docs/privacy.md)",
            self._options.prefix,
            reach,
            learned,
        )

    def _take_place(self, second: Second, topics: Mapping[str, str], sender: Sender) -> None:
        arrays, meta = second.checkpoint(topics)
        saved = checkpoint.save_checkpoint(self._options.folder, arrays, meta, sender.confirm)
        self._asked = None
        self._put_in_place(version_of(saved, meta), sender)
        log.info("the learner that began afresh is in place: %s", meta["version"])

    def _put_in_place(self, version: Version, sender: Sender) -> None:
        """Every replica goes over to it, whatever it has read, and no older one is left."""
        sender.confirm()
        sender.truncate(sender.send(rollback_record(version)))
        sender.confirm()
        checkpoint.prune(self._options.folder, keep=1)
