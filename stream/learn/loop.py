"""The learn process: reads `examples`, tests and trains, publishes what the guard promotes on
`models`, figures on `metrics`.

One of it runs. After a crash it starts from its newest checkpoint and reads on from the positions
that it covers; the learner's watermark skips what it has learned. Users who are to be forgotten are
gone from every checkpoint before that is confirmed. It knows nothing about Faust.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import AuthorizationError, KafkaError

from learner.release import checkpoint
from learner.training.learner import Learner
from learner.training.promotion import Promotion
from stream.broker.away import Patience
from stream.broker.incarnations import Incarnations
from stream.broker.model_records import Version, delta_record, ruling_record, version_record
from stream.chain.effects import Erasure
from stream.chain.wire import decode_examples
from stream.learn.afresh.afresh import Afresh
from stream.learn.budget import Budget
from stream.learn.catalogue import CatalogueFeed
from stream.learn.erase import Unconfirmed, confirmations
from stream.learn.letters import LetterIndex, remove_letters
from stream.learn.lock import LearnerLock
from stream.learn.options import LearnOptions
from stream.learn.pace import Pace
from stream.learn.quarantine import HeldBack
from stream.learn.rollback import roll_back_if_asked, seek, version_of
from stream.learn.standby import take_turn
from stream.learn.topics import Sender, examples_consumer, figures_record, warn_of
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.system.offsets import beginnings_of, ends_of

__all__ = ["LearnLoop"]

LEAST_POLL_MS, POLL_MS = 10, 500
"""That an idle loop waits; records end a poll at once."""
KEEP_CHECKPOINTS = 3
LOOK_MS = 10_000
READ_TOPICS = (Topic.EXAMPLES, Topic.CATALOGUE, Topic.RULES, Topic.MODELS, Topic.DEAD_LETTERS)

log = logging.getLogger("upwell.learn")


class LearnLoop:
    """Runs a `Learner` over the broker. `run` returns after `stop`."""

    def __init__(
        self, learner: Learner, options: LearnOptions, clock_ms: Callable[[], int]
    ) -> None:
        self._learner = learner
        self._promotion = Promotion(learner, options.guard, groups=options.groups)
        self._budget = Budget(learner, options.folder)
        self._options = options
        self._clock_ms = clock_ms
        self._catalogue = CatalogueFeed(options.client, options.prefix, options.policy)
        self._positions: dict[int, int] = {}
        self._letters = LetterIndex(options.client, options.prefix)
        self._pace = Pace()
        self._held = HeldBack(options)
        self._afresh = Afresh(options, clock_ms)
        self._unconfirmed: list[Unconfirmed] = []
        self._stopping = False
        self._learned = 0
        self._saved_at = 0
        self._published_ms = 0
        self._published_version = ""
        self._looked_ms = clock_ms()
        self._models_anew = False

    def run(self) -> None:
        """Learn until stopped.

        Raises `BrokerError` when the broker is gone for good, `ModelError` for a torn checkpoint.
        """
        options = self._options
        self._incarnations = Incarnations(options.client, options.prefix, READ_TOPICS)
        self._lock = LearnerLock(options.client, options.prefix, options.engine)
        try:
            if not take_turn(self._lock, options, self._clock_ms, lambda: self._stopping):
                return
            # to wait for one's turn may take days
            self._incarnations = Incarnations(options.client, options.prefix, READ_TOPICS)
            newest = self._resume()
            self._catalogue.start()
            self._held.start()
            with (
                closing(
                    Sender(options.client, options.prefix, self._lock, options.show)
                ) as self._sender,
                examples_consumer(options.client, options.prefix, self._positions) as consumer,
            ):
                self._announce(newest, consumer)
                self._afresh.say_again(newest, self._sender)
                while not self._stopping:
                    self._step(consumer)
                self._publish()
                self._checkpoint()
        except AuthorizationError as exc:
            raise BrokerError(
                f"learn: the broker refuses: {exc}; docs/security.md lists the rights"
            ) from exc
        except KafkaError as exc:
            raise BrokerError(
                f"learn: the broker does not answer: {exc}; start it and start learn again"
            ) from exc
        finally:
            self._catalogue.stop()
            self._held.stop()
            self._afresh.stop()
            self._lock.release()

    def stop(self, *_: object) -> None:
        """May be called from a signal handler."""
        self._stopping = True

    def _resume(self) -> Version | None:
        """The newest checkpoint, None where there is none yet."""
        checkpoint.sweep(self._options.folder)
        newest = checkpoint.latest(self._options.folder)
        if newest is None:
            self._budget.resume()
            self._held.begin({}, {})
            return None
        arrays, meta = checkpoint.load(self._options.folder, newest.name)
        self._learner.restore(arrays, meta["learner"])
        self._afresh.resume(meta)
        self._budget.resume()
        self._promotion = Promotion(self._learner, self._options.guard, groups=self._options.groups)
        self._promotion.restore(arrays)
        self._held.begin(self._learner.watermark, arrays)
        self._models_anew = self._made_anew(meta, Topic.MODELS)
        if not self._made_anew(meta, Topic.EXAMPLES):
            self._positions = {int(one): offset for one, offset in meta["positions"].items()}
        else:
            topic = self._options.prefix + Topic.EXAMPLES
            log.warning("topic %s was made anew: read from its beginning", topic)
        self._unconfirmed = [Unconfirmed(**one) for one in meta.get("owed", ())]
        log.info("resumed at %s", self._learner.version)
        return version_of(newest, meta)

    def _made_anew(self, meta: Mapping[str, Any], topic: Topic) -> bool:
        """Since the checkpoint of this `meta`; False where an older version wrote it."""
        now = self._incarnations.ids[topic]
        return bool(meta.get("topics", {}).get(topic, now) != now)

    def _announce(self, newest: Version | None, consumer: KafkaConsumer) -> None:
        """On a `models` topic that is empty or was made anew: replicas start from there."""
        at = [TopicPartition(self._options.prefix + Topic.MODELS, 0)]
        if newest and (self._models_anew or beginnings_of(consumer, at) == ends_of(consumer, at)):
            self._sender.confirm()
            self._sender.truncate(self._sender.send(version_record(newest)))

    def _look(self) -> None:
        """Raises `BrokerError` where a topic was made anew: what was read of it is of another, and
        what was learned of it since the newest checkpoint stands nowhere else.
        """
        if self._clock_ms() - self._looked_ms < LOOK_MS:
            return
        self._looked_ms = self._clock_ms()
        if (anew := Patience("learn").call(self._incarnations.changed)) is None:
            return
        try:
            self._publish()
        finally:  # also where `models` cannot be written to
            self._checkpoint()
        raise BrokerError(f"learn: {anew}; it starts again")

    def _step(self, consumer: KafkaConsumer) -> None:
        self._pace.rest()
        self._look()
        self._lock.keep()
        if self._goes_on_elsewhere():
            self._resume()
            seek(consumer, self._positions)
        due_ms = self._published_ms + self._options.publish_ms - self._clock_ms()
        wait_ms = min(max(due_ms, LEAST_POLL_MS), POLL_MS)
        polled = consumer.poll(timeout_ms=wait_ms, max_records=self._options.batch_records)
        self._catalogue.tell(self._learner)
        decoded = [decode_examples(one.value) for records in polled.values() for one in records]
        examples = [example for one in decoded if not isinstance(one, Erasure) for example in one]
        self._learner.share = self._pace.look(consumer, len(decoded), len(examples))
        examples = self._held.sift(examples, self._clock_ms())
        with self._options.learning(polled):
            self._promotion.test(examples)
            self._learner.learn(examples)
        if examples and (ruling := self._promotion.decide()) is not None:
            warn_of(ruling, self._promotion.version)
            self._sender.confirm()
            self._sender.send(ruling_record(ruling, self._promotion.version))
        self._erase([one for one in decoded if isinstance(one, Erasure)])
        self._positions |= {
            partition.partition: records[-1].offset + 1 for partition, records in polled.items()
        }
        if self._learned < self._options.warmup_examples <= self._learned + len(examples):
            self._learner.figures.reset()
        self._learned += len(examples)
        full = self._learned - self._saved_at >= self._options.checkpoint_examples
        save = bool(self._unconfirmed) or full
        if self._budget.due:
            self._checkpoint()
        if save or self._clock_ms() - self._published_ms >= self._options.publish_ms:
            self._publish()
        if save:
            self._checkpoint()

    def _goes_on_elsewhere(self) -> bool:
        """Whether the newest checkpoint is not what was learned here."""
        if roll_back_if_asked(self._options.home, self._options.folder, self._sender):
            return True
        now = self._learner.learned, self._positions, self._incarnations.ids
        return not self._unconfirmed and self._afresh.step(*now, self._sender)

    def _erase(self, erasures: Sequence[Erasure]) -> None:
        """Remove users from `dead_letters` and from memory; the next checkpoint, which is due now,
        is without them.

        Where a letter's removal is not delivered the process ends here: the erasure stands on
        `examples` beyond what any checkpoint covers, and is read and tried again.
        """
        if not erasures:
            return
        self._held.forget({one.user for one in erasures})
        self._afresh.met(len(erasures))
        found = self._letters.of({one.user for one in erasures})
        self._sender.confirm()
        letters = remove_letters(self._sender.producer, self._options.prefix, found)
        for one in erasures:
            removed = {
                "state": one.states,
                "vector": one.states,
                "letters": letters[one.user],
                "examples": self._learner.forget(one.user),
            }
            self._unconfirmed.append(Unconfirmed(one.source, one.offset, removed, one.guest))

    def _publish(self) -> None:
        """A delta, if anything was learned, and the figures."""
        self._published_ms = self._clock_ms()
        self._sender.confirm()
        if self._promotion.version != self._published_version:
            for delta in self._promotion.take_deltas():
                self._sender.send(delta_record(delta))
            self._published_version = self._promotion.version
        figures = figures_record(
            self._learner,
            self._promotion,
            self._published_ms,
            learned=self._learned,
            waiting=self._pace.waiting,
            positions=self._positions,
            topic_id=self._incarnations.ids[Topic.EXAMPLES],
            engine=self._options.engine,
            quarantine=self._held.figures,
        )
        for one in (*self._held.records(self._published_ms), figures):
            self._sender.send(one)

    def _checkpoint(self) -> None:
        """Save everything learned, announce it, and cut `models` off before it.

        Where an erasure is to be confirmed it is the only one that stays.
        """
        if self._learned == self._saved_at and not self._unconfirmed and not self._held.waiting:
            return
        meta = {
            "version": self._promotion.version,
            "learner": self._learner.meta(),
            "positions": self._positions,
            "topics": dict(self._incarnations.ids),
            "owed": [asdict(one) for one in self._unconfirmed],
            "shares": self._afresh.shares,
        }
        saved = checkpoint.save_checkpoint(
            self._options.folder,
            self._learner.arrays() | self._promotion.arrays() | self._held.arrays(),
            meta,
            self._sender.confirm,  # to save takes its time, and the folder is another learner's too
        )
        self._budget.keep()
        self._sender.confirm()
        self._sender.truncate(self._sender.send(version_record(version_of(saved, meta))))
        keep = 1 if self._unconfirmed else KEEP_CHECKPOINTS
        self._sender.confirm()
        gone = checkpoint.prune(self._options.folder, keep=keep)
        self._saved_at = self._learned
        # now that no checkpoint holds the users; after a crash it may go out once more
        for one in confirmations(self._options, self._unconfirmed, gone, self._clock_ms()):
            self._sender.send(one)
        self._unconfirmed = []
