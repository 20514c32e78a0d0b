"""The process of a use: reads its topics, takes each batch, publishes what came of it in one
transaction with the batch's step.

After a crash it begins at its newest checkpoint and takes the batches of the steps behind it again,
in silence: what they published stands. It knows nothing of what the use does.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import orjson
from kafka import TopicPartition
from kafka.errors import AuthorizationError, KafkaError

from learner.release import checkpoint
from stream.broker.feeds import read_partition
from stream.broker.incarnations import Incarnations
from stream.uses.fold import Folded, Row, fold
from stream.uses.inputs import MOST_RECORDS, Inputs
from stream.uses.options import UseOptions
from stream.uses.port import Published, Use
from stream.uses.sender import Sender
from stream.uses.steps import Place, Step
from upwell.errors import BrokerError, ModelError
from upwell.events import Topic
from upwell.recommendations import DeadLetter
from upwell.system.process import process_figures

__all__ = ["UseLoop"]

POLL_MS = 500
"""That an idle loop waits; records end a poll at once."""
LOOK_MS = 10_000
KEEP_CHECKPOINTS = 3

log = logging.getLogger("upwell.uses")


class UseLoop:
    """Runs a `Use` over the broker. `run` returns after `stop`. clock_ms: UTC ms."""

    def __init__(self, use: Use, options: UseOptions, clock_ms: Callable[[], int]) -> None:
        self._use = use
        self._options = options
        self._clock_ms = clock_ms
        self._positions: dict[Place, int] = {}
        self._steps = 0
        self._events = self._letters = self._forgotten = 0
        self._unsaved = 0
        self._told_ms = 0
        self._looked_ms = clock_ms()
        self._stopping = False

    def run(self) -> None:
        """Until stopped. Raises `BrokerError` when the broker is gone for good, `SettingsError`
        where another process runs this use, `ModelError` for a torn checkpoint.
        """
        options, use = self._options, self._use
        try:
            self._topics = Incarnations(
                options.client,
                options.prefix,
                (Topic.CONTROLS, *use.inputs, use.steps),
            )
            with closing(Sender(options.client, options.prefix, use)) as self._sender:
                self._resume()
                order = (Topic.CONTROLS, *use.inputs)
                with closing(
                    Inputs(options.client, options.prefix, order, self._positions)
                ) as self._inputs:
                    self._catch_up()
                    log.info("%s: reading from where it was", use.name)
                    while not self._stopping:
                        self._step()
                    self._checkpoint()
        except AuthorizationError as exc:
            raise BrokerError(
                f"{use.name}: the broker refuses: {exc}; docs/security.md lists the rights"
            ) from exc
        except KafkaError as exc:
            raise BrokerError(
                f"{use.name}: the broker does not answer: {exc}; start it and start this again"
            ) from exc

    def stop(self, *_: object) -> None:
        """May be called from a signal handler."""
        self._stopping = True

    def _resume(self) -> None:
        """From the newest checkpoint, if there is one. Raises `ModelError`."""
        checkpoint.sweep(self._options.folder)
        newest = checkpoint.latest(self._options.folder)
        if newest is None:
            return
        arrays, meta = checkpoint.load(self._options.folder, newest.name)
        if meta["encoder"] != self._options.encoder.revision:
            raise ModelError(
                f"{self._use.name} has learned from vectors of {meta['encoder']}, and the encoder "
                f"is {self._options.encoder.revision}: set UPWELL_ENCODER to the one of before, or "
                f"remove {self._options.folder.address}, and all that is still on its topics is "
                "learned from again"
            )
        self._use.restore(arrays, meta["use"])
        self._positions = self._still({tuple(place): at for *place, at in meta["ends"]}, meta)
        same = meta["topics"].get(self._use.steps) == self._ids[self._use.steps]
        self._steps = meta["steps"] if same else 0
        self._forgotten = meta["forgotten"]

    @property
    def _ids(self) -> Mapping[str, str]:
        return {str(topic): one for topic, one in self._topics.ids.items()}

    def _still(self, ends: Mapping[Any, int], said: Mapping[str, Any]) -> dict[Place, int]:
        """Of the offsets those whose topic is the one that they are of."""
        return {
            place: at
            for place, at in ends.items()
            if said["topics"].get(place[0]) == self._ids.get(place[0])
        }

    def _catch_up(self) -> None:
        """Take the batches again that were published after the checkpoint."""
        steps = TopicPartition(self._options.prefix + self._use.steps, 0)
        count = 0
        for record in read_partition(self._options.client, steps, self._steps):
            step = Step.read(record.value)
            ends = self._still(step.ends, {"topics": step.topics})
            rows = self._inputs.upto(ends)
            for start in range(0, len(rows), MOST_RECORDS):
                self._fold(rows[start : start + MOST_RECORDS], step.at_ms)
            if not rows:
                deque(self._use.idle(step.at_ms), maxlen=0)
            self._steps = record.offset + 1
            count += 1
        if count:
            log.info("%s: %d batches were taken again", self._use.name, count)
            self._checkpoint()

    def _step(self) -> None:
        self._look()
        rows = self._inputs.poll(POLL_MS)
        now_ms = self._clock_ms()
        if rows:
            folded = self._fold(rows, now_ms)
            self._commit(folded.published, folded.letters, now_ms)
            if folded.forgotten is not None or self._unsaved >= self._options.checkpoint_events:
                self._checkpoint(keep=1 if folded.forgotten is not None else KEEP_CHECKPOINTS)
        elif told := list(self._use.idle(now_ms)):
            self._commit(told, (), now_ms)
        if now_ms - self._told_ms >= self._options.figures_ms:
            self._tell(now_ms)

    def _commit(
        self, told: Sequence[Published], letters: Sequence[DeadLetter], now_ms: int
    ) -> None:
        step = Step(dict(self._inputs.positions), now_ms, self._ids)
        self._steps = 1 + self._sender.commit(told, letters, step)

    def _fold(self, rows: Sequence[Any], now_ms: int) -> Folded:
        options = self._options
        folded = fold(
            self._use, options.encoder, options.names, [self._row(one) for one in rows], now_ms
        )
        self._events += folded.events
        self._letters += len(folded.letters)
        self._forgotten += folded.forgotten or 0
        self._unsaved += len(rows)
        return folded

    def _row(self, record: Any) -> Row:
        return Row(
            record.topic.removeprefix(self._options.prefix),
            record.partition,
            record.offset,
            record.key,
            record.value,
            dict(record.headers or ()),
            record.timestamp,
        )

    def _look(self) -> None:
        """Raises `BrokerError` where a topic was made anew."""
        if self._clock_ms() - self._looked_ms < LOOK_MS:
            return
        self._looked_ms = self._clock_ms()
        if (anew := self._topics.changed()) is not None:
            raise BrokerError(f"{self._use.name}: {anew}; it starts again")

    def _checkpoint(self, keep: int = KEEP_CHECKPOINTS) -> None:
        """All that was committed. Where somebody is to be forgotten it is the only one that
        stays.
        """
        if not self._unsaved and keep > 1:
            return
        folder = self._options.folder
        meta = {
            "encoder": self._options.encoder.revision,
            "use": dict(self._use.meta()),
            "ends": [[*place, at] for place, at in self._inputs.positions.items()],
            "steps": self._steps,
            "topics": dict(self._ids),
            "forgotten": self._forgotten,
        }
        checkpoint.save_checkpoint(folder, self._use.arrays(), meta)
        checkpoint.prune(folder, keep=keep)
        oldest = checkpoint.meta(folder, checkpoint.every(folder)[-1].name)
        # the last one stays: it says from where on nothing has been published
        if oldest["topics"] == self._ids and oldest["steps"] > 1:
            self._sender.truncate(oldest["steps"] - 1)
        self._unsaved = 0

    def _tell(self, now_ms: int) -> None:
        self._told_ms = now_ms
        said = {
            "role": self._use.name,
            "instance": self._use.name,
            "at": now_ms,
            "use": {
                "events": self._events,
                "letters": self._letters,
                "forgotten": self._forgotten,
            },
            self._use.name: dict(self._use.figures()),
            "process": process_figures(),
        }
        record = orjson.dumps(said)
        self._options.show(record)
        self._sender.tell(record)
