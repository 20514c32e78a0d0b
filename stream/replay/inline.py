"""The inline engine: pipeline and learner in one process, no broker. The same log and seed give the
same lists, always.

Steps are counted in events, not in seconds. Benches, tests and notebooks use it; the state is in
memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Literal

from encoders import in_bulk
from learner.private.build import new_learner
from learner.ranking.parameters import settle
from learner.release.delta import decode, encode
from learner.release.guard import Guard
from learner.release.replica import Replica
from learner.training.promotion import Promotion
from store.memory import MemoryStore
from stream.broker.topics import partitioner
from stream.chain.build import Ports, build_chains
from stream.chain.effects import Effects, Rerouted
from stream.chain.overrides.record import decode_kept, withdrawal_of
from stream.chain.records import Record
from stream.fairness.ranker import FairRanker
from stream.quarantine.quarantine import Quarantine
from stream.replay.log import BadLine, LogRecord
from upwell.events import Topic
from upwell.knowledge import Rule
from upwell.ports import Encoder, Pictures
from upwell.settings import Settings
from upwell.values import CatalogueItem, Example

__all__ = ["FOREVER_MS", "GUARDED_EXAMPLES", "InlineEngine"]

FOREVER_MS = 1 << 53
GUARDED_EXAMPLES = 32
"""That are tested, learned and published at a time where the guard stands before what serves."""
ITEM_TOPICS = (Topic.ITEMS, Topic.CONTROLS, Topic.KNOWLEDGE)
NO_USERS = (Topic.ITEMS, Topic.KNOWLEDGE)


class InlineEngine:
    """Feeds log records, in micro-batches, through the same chains as the serve process, then to
    the learner.

    serving: lists are `live`, by what was just learned, or `guarded`, by a replica that gets what
    the guard promotes, as a delta's bytes, like a serve worker. watch: is called with examples that
    are learned next. fair: counts who is shown. pictures: looks at those of items; None where
    nobody does.
    """

    def __init__(
        self,
        settings: Settings,
        encoder: Encoder,
        key: bytes = bytes(32),
        serving: Literal["live", "guarded"] = "live",
        pictures: Pictures | None = None,
    ) -> None:
        self._settings = settings
        self._partition_of = partitioner(settings.kafka.partitions)
        self._offsets: Counter[tuple[Topic, int]] = Counter()
        self._appended = 0
        self._sent_on: list[Record] = []
        learner, dimension = settings.learner, encoder.dimension
        self.learner = new_learner(learner, settings.private, dimension, key)
        self.promotion: Promotion | None = None
        self.replica: Replica | None = None
        if serving == "guarded":
            self.promotion = Promotion(self.learner, Guard())
            self.replica = Replica(learner, dimension)
        self.quarantine: Quarantine | None = None
        if learner.quarantine != "off":
            self.quarantine = Quarantine(learner.quarantine, learner.quarantine_days, {})
        self.fair = FairRanker.of(settings, self.replica or self.learner)
        ports = Ports(
            store=MemoryStore(dimension),
            encoder=encoder,
            bulk=in_bulk(encoder),
            ranker=self.fair,
            key=key,
            partition_of=self._partition_of,
            oldest_ms=lambda: None,
            pictures=pictures,
            rule_ids=lambda: self.learner.rule_ids,
            forgets=self.fair.forgetting(self._forgets),
        )
        self._chains = build_chains(settings, ports)
        self.catalogue, self.users = self._chains.catalogue, self._chains.users
        self.watch: Callable[[Sequence[Example]], None] = lambda examples: None
        self.counts: Counter[str] = Counter()

    def play(
        self, lines: Iterable[LogRecord | BadLine], batch_events: int | None = None
    ) -> Iterator[Effects]:
        """Process a log; yields the effects of each micro-batch after the learner has learned from
        it.
        """
        size = batch_events or self._settings.stream.batch_events
        good = (line for line in lines if isinstance(line, LogRecord))
        while (batch := list(islice(good, size))) or self._sent_on:
            yield self.process(batch)

    def process(self, batch: Sequence[LogRecord]) -> Effects:
        """One micro-batch: announcements first, then users' events, then learning. Time is the
        log's own: no event is in the future. What was sent on to its owner comes with the next
        batch.
        """
        records = self._sent_on + [self._record(line) for line in batch]
        announced = self._chains.items.run(
            [record for record in records if record.topic in ITEM_TOPICS], FOREVER_MS
        )
        self._announce(announced.items)
        self._take_rules(announced.rules)
        for _, override_id, value in announced.decided.overrides:
            kept = None if value is None else decode_kept(value)
            self._chains.standing.put(override_id.decode(), kept)
        effects = self._chains.pipeline.run(
            [record for record in records if record.topic not in NO_USERS], FOREVER_MS
        )
        self.fair.published()
        said = [(key, value) for key, value, _ in announced.decided.strays]
        said += [(one.encode(), withdrawal_of(one, of, 0)) for one, of in effects.withdrawn]
        self._sent_on = [self._rerouted(one) for one in effects.rerouted]
        for key, value in said:
            controls = (Topic.CONTROLS, self._partition_of(key), value, key)
            self._sent_on.append(self._appended_to(*controls))
        position = {
            (f"{record.topic}-{record.partition}", record.offset): number
            for number, record in enumerate(records)
        }
        self._learn(
            sorted(effects.examples, key=lambda example: position[example.source, example.offset])
        )
        for erasure in effects.erasures:
            self.learner.forget(erasure.user)
            if self.quarantine is not None:
                self.quarantine.forget(erasure.user)
        self.counts.update(announced.counts)
        self.counts.update(effects.counts)
        return effects

    def _forgets(self, until: Mapping[str, int]) -> None:
        if self.replica is not None:
            self.replica.forget_users(until)

    def _announce(self, items: Sequence[CatalogueItem]) -> None:
        judged = [self._chains.policy.judged(item) for item in items]
        self.catalogue.put(judged)
        self.learner.add_items(judged)
        if self.replica is not None:
            self.replica.add_items(judged)

    def _take_rules(self, rules: Mapping[str, Rule | None]) -> None:
        self.learner.take_rules(rules)
        if self.replica is not None:
            self.replica.take_rules(rules)

    def _learn(self, examples: Sequence[Example]) -> None:
        if self.quarantine is not None:
            examples = self.quarantine.sift(examples, self._appended)
        if self.promotion is None or self.replica is None:
            self.watch(examples)
            self.learner.learn(examples)
            return
        for start in range(0, len(examples), GUARDED_EXAMPLES):
            some = examples[start : start + GUARDED_EXAMPLES]
            self.watch(some)
            self.promotion.test(some)
            self.learner.learn(some)
            self.promotion.decide()
            for delta in self.promotion.take_deltas():
                settle(self.replica.apply(decode(encode(delta))))

    def _record(self, line: LogRecord) -> Record:
        """The record that a broker would have made of the line; its clock ticks once a record."""
        return self._appended_to(
            line.topic, self._partition_of(line.key or b""), line.value, line.key
        )

    def _rerouted(self, one: Rerouted) -> Record:
        partition = self._partition_of(one.key or b"") if one.partition is None else one.partition
        record = self._appended_to(Topic.REROUTED, partition, one.value, one.key)
        return replace(record, stated_ms=one.first_ms)

    def _appended_to(
        self, topic: Topic, partition: int, value: bytes | None, key: bytes | None
    ) -> Record:
        offset = self._offsets[topic, partition]
        self._offsets[topic, partition] += 1
        self._appended += 1
        return Record(topic, partition, offset, value, self._appended, key)
