"""The inline engine: pipeline and learner in one process, no broker. The same log and seed give the
same lists, always.

Steps are counted in events, not in seconds. Benches, tests and notebooks use it; the state is in
memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from learner.training.learner import Learner
from store.memory import MemoryStore
from stream.broker.topics import partitioner
from stream.chain.catalogue import Catalogue
from stream.chain.denoise import Denoiser, NoiseLimits
from stream.chain.effects import Effects
from stream.chain.fold import Bounds
from stream.chain.items import ItemPipeline
from stream.chain.pipeline import Limits, Pipeline
from stream.chain.privacy import Pseudonymizer
from stream.chain.records import Record
from stream.chain.users import Users
from stream.replay.log import BadLine, LogRecord
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.settings import Settings

__all__ = ["InlineEngine"]

DAY_MS = 86_400_000
FOREVER_MS = 1 << 53
ITEM_TOPICS = (Topic.ITEMS, Topic.CONTROLS)


class InlineEngine:
    """Feeds log records, in micro-batches, through the same chains as the serve process, then to
    the learner.
    """

    def __init__(self, settings: Settings, encoder: Encoder, key: bytes = bytes(32)) -> None:
        stream = settings.stream
        self._settings = settings
        self._partition_of = partitioner(settings.kafka.partitions)
        self._offsets: Counter[tuple[Topic, int]] = Counter()
        self._appended = 0
        self._store = MemoryStore(encoder.dimension)
        self.catalogue = Catalogue()
        self.learner = Learner(settings.learner, encoder.dimension, settings.learner.seed)
        self.users = Users(self._store, stream.hot_users, encoder.dimension)
        self._items = ItemPipeline(encoder, self._store, stream.catalogue_items)
        self._pipeline = Pipeline(
            Limits(
                bounds=Bounds(
                    stream.history, stream.had, settings.learner.intent_half_life_days * DAY_MS
                ),
                partition_of=self._partition_of,
                list_k=stream.list_k,
                test_sample=settings.learner.test_sample,
            ),
            encoder=encoder,
            ranker=self.learner,
            users=self.users,
            catalogue=self.catalogue,
            pseudonymizer=Pseudonymizer(key),
            denoiser=Denoiser(
                NoiseLimits(stream.dedup_window, stream.bounce_ms, stream.bot_events)
            ),
        )
        self.counts: Counter[str] = Counter()

    def play(
        self, lines: Iterable[LogRecord | BadLine], batch_events: int | None = None
    ) -> Iterator[Effects]:
        """Process a log; yields the effects of each micro-batch after the learner has learned from
        it.
        """
        size = batch_events or self._settings.stream.batch_events
        good = (line for line in lines if isinstance(line, LogRecord))
        while batch := list(islice(good, size)):
            yield self.process(batch)

    def process(self, batch: Sequence[LogRecord]) -> Effects:
        """One micro-batch: announcements first, then users' events, then learning. Time is the
        log's own: no event is in the future.
        """
        records = [self._record(line) for line in batch]
        announced = self._items.run(
            [record for record in records if record.topic in ITEM_TOPICS], FOREVER_MS
        )
        self.catalogue.put(announced.items)
        self.learner.add_items(announced.items)
        effects = self._pipeline.run(
            [record for record in records if record.topic is not Topic.ITEMS], FOREVER_MS
        )
        position = {
            (f"{record.topic}-{record.partition}", record.offset): number
            for number, record in enumerate(records)
        }
        self.learner.learn(
            sorted(effects.examples, key=lambda example: position[example.source, example.offset])
        )
        for erasure in effects.erasures:
            self.learner.forget(erasure.user)
        self.counts.update(announced.counts)
        self.counts.update(effects.counts)
        return effects

    def _record(self, line: LogRecord) -> Record:
        """The record that a broker would have made of the line; its clock ticks once a record."""
        partition = self._partition_of(line.key or b"")
        offset = self._offsets[line.topic, partition]
        self._offsets[line.topic, partition] += 1
        self._appended += 1
        return Record(line.topic, partition, offset, line.value, self._appended, line.key)
