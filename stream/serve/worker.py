"""What a serve process does, without Faust: builds the two chains from the settings and keeps level
with `catalogue`, `rules` and `models`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import orjson

from encoders import (
    UnknownTokens,
    WatchedTitles,
    kept_folder,
    model_dimension,
    text_sources,
    tokens_read,
)
from encoders.pictures import load_pictures
from stream.broker.audit.stood import read_stood
from stream.broker.connect import (
    client_options,
    models_folder,
    open_settings_store,
    pseudonym_key,
)
from stream.broker.encoders import Lineage, Said
from stream.broker.encoders.topic import read_lineage
from stream.broker.engines import agree_on_key, engine_name, refuse_second
from stream.broker.erasures.topic import fences_of_ledger
from stream.broker.feeds import Broadcast
from stream.broker.incarnations import Incarnations
from stream.broker.lag import INPUT_TOPICS
from stream.broker.retention import oldest_record_ms
from stream.broker.topics import partitioner
from stream.chain.build import Ports, build_chains
from stream.chain.catalogue import check_revision, is_made_otherwise, vectors_of
from stream.chain.pictures import missed_lines
from stream.chain.policy import load_policy
from stream.chain.publish import Outgoing, item_records, user_records
from stream.chain.records import Record
from stream.encode.load import load_by, told, waits
from stream.explain.recorded import open_replica
from stream.fairness.ranker import FairRanker
from stream.serve.decisions import DecisionFeed
from stream.serve.encoders.renewal import Renewal
from stream.serve.encoders.switch import EncoderSwitch, model_in_force
from stream.serve.follow import Follower
from stream.serve.meter import Meter, TimedEncoder, TimedPictures, TimedRanker, TimedStore
from stream.serve.model_reader import ModelReader
from stream.serve.store_copy import answer_commands
from stream.serve.unknown_fields import KeptOut
from upwell.errors import SettingsError
from upwell.events import Topic
from upwell.settings import Settings
from upwell.system.clock import now_ms
from upwell.system.process import process_figures
from upwell.values import CatalogueItem

__all__ = ["ServeWorker"]

COUNTED = ("events", "items", "lists", "dead_letters", "rerouted", "merged", "removed_unread")
"""There from the beginning, so that the first one is seen as one more."""
FOLLOWED = (Topic.CATALOGUE, Topic.MODELS, Topic.ENCODERS, Topic.RULES)
"""Read whole by each worker, from their beginning; and what people said (`DecisionFeed`)."""
READ_TOPICS = (*{*INPUT_TOPICS, *FOLLOWED, Topic.KEYS, Topic.OVERRIDES, Topic.AUDIT},)

log = logging.getLogger("upwell.serve")


class ServeWorker:
    """Everything of one serve process but Faust: the ports, the chains, the feeds. Two threads call
    it, one a chain. spans: what became of those of traces, where there are some.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        options = client_options(settings.kafka)
        model_dimension(settings.encoder.model)  # a wrong name is said before a broker is asked
        self._lineage = read_lineage(options, settings.kafka.prefix)
        load_model = partial(load_by, settings)
        encoder = load_model(model_in_force(settings.encoder, self._lineage))
        self.meter = Meter()
        self.partition_of = partitioner(settings.kafka.partitions)
        self.waits: Callable[[], Mapping[str, float]] = lambda: waits(self._switch.newest)
        self._engine = engine_name(settings.data)
        self.incarnations = Incarnations(options, settings.kafka.prefix, READ_TOPICS)
        kept = kept_folder(settings.encoder.vectors)
        known = {vectors_of(encoder.revision), *self._lineage.known}
        self._pictures = load_pictures(
            settings.pictures, settings.encoder, encoder.dimension, known, kept
        )
        self._titles = WatchedTitles(UnknownTokens(settings.encoder.model))
        self._store = open_settings_store(settings, encoder.dimension)
        self._replica = open_replica(settings, encoder.dimension)
        self._fair = FairRanker.of(settings, self._replica)
        self._feeds = {one: Broadcast(settings.kafka.prefix + one, options) for one in FOLLOWED}
        ids = self.incarnations.ids
        self._decided = DecisionFeed(options, settings.kafka.prefix, self.partition_of, ids)
        self._follower = Follower(
            self._feeds[Topic.CATALOGUE],
            self._feeds[Topic.MODELS],
            self._know,
            self._announce,
            ModelReader(self._replica, models_folder(settings)),
            self._feeds[Topic.RULES],
            self._replica.take_rules,
            load_policy(settings.policy),
        )
        self._switch = EncoderSwitch(encoder, load_model, lambda: self._follower.live)
        ports = Ports(
            store=TimedStore(self._store, self.meter),
            encoder=TimedEncoder(self._switch.users, self.meter, "encode"),
            bulk=TimedEncoder(self._switch.items, self.meter, "encode_items"),
            ranker=TimedRanker(self._fair, self.meter),
            key=pseudonym_key(settings),
            partition_of=self.partition_of,
            oldest_ms=partial(oldest_record_ms, options, settings.kafka.prefix),
            incarnations=ids,
            pictures=self._pictures and TimedPictures(self._pictures, self.meter),
            stood=partial(read_stood, options, settings.kafka.prefix),
            rule_ids=lambda: self._replica.rule_ids,
            forgets=self._fair.forgetting(self._replica.forget_users),
        )
        self._chains = build_chains(settings, ports)
        self.users = self._chains.users
        self.renewal = Renewal(self._chains.items.renew, lambda: self._follower.untaken)
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
        self.spans: Callable[[], Mapping[str, int]] = dict
        self.lag: Mapping[str, int] = {}
        self._kept_out = KeptOut()
        self.version = ""
        self._version_at = 0
        self._moved = self._look_over = False

    def admit(self) -> None:
        """Raises `SettingsError` where another engine on these topics is in the way, or this one is
        in its way.
        """
        options, prefix = client_options(self._settings.kafka), self._settings.kafka.prefix
        refuse_second(options, self._settings, self._engine)
        agree_on_key(options, prefix, self._chains.pseudonymizer.fingerprint(), self._engine)

    def start(self) -> None:
        """Read the catalogue, the model and who was forgotten as they stand; blocks until all are
        whole.
        """
        for feed in self._feeds.values():
            feed.start()
        self._decided.start()
        self._lineage = Lineage()  # all of it comes by the feed
        self._follow_encoder()
        self._chains.pipeline.fence(fences_of_ledger(self._settings.kafka))
        self._take_fences()
        self._follower.level()
        self._note_version()
        log.info("catalogue of %d items, model %s", len(self._chains.catalogue), self.version)

    def follow(self) -> bool:
        """Take in a little of what the catalogue and the model became since; False where there was
        nothing. Between users' batches.
        """
        self._take_fences()
        self._follow_encoder()
        answered = answer_commands(self._store, self._settings.data / "store")
        more = self._follower.step()
        self._fair.tell(now_ms())
        self._note_version()
        return more or answered

    def _note_version(self) -> None:
        if (version := self._replica.version) != self.version:
            self.version, self._version_at = version, now_ms()

    def _follow_encoder(self) -> None:
        """Has the encoder in force loaded, takes it once it is there, and has made anew what the
        one before left.
        """
        for record in self._feeds[Topic.ENCODERS].drain():
            self._lineage = self._lineage.after(Said.read(record.value))
            self._look_over = True
        if self._lineage.in_force is not None:
            self._switch.want(self._lineage.in_force)
        if (self._switch.take_over() or self._look_over) and self._switch.settled:
            self._look_over = False
            own = self._switch.newest.revision
            self.renewal.add(self._chains.catalogue.made_otherwise(own, self._picture_revision))

    def _know(self, items: Sequence[CatalogueItem]) -> None:
        own, kafka = self._switch.newest.revision, self._settings.kafka
        try:
            check_revision(items, own, self._lineage.known)
        except SettingsError:  # another worker may have heard of it a moment before
            check_revision(items, own, read_lineage(client_options(kafka), kafka.prefix).known)
        self._chains.catalogue.put(items)
        if self._switch.settled:
            shown = self._picture_revision
            self.renewal.add(one.item_id for one in items if is_made_otherwise(one, own, shown))
        if advice := self._titles.add([item.title for item in items if item.available]):
            log.warning("%s", advice)

    @property
    def _picture_revision(self) -> str:
        return "" if self._pictures is None else self._pictures.revision

    def _announce(self, items: Sequence[CatalogueItem]) -> None:
        self._replica.add_items(list({one.item_id: one for one in items}.values()))

    def _take_fences(self) -> None:
        chains = self._chains
        chains.pipeline.fence(self._decided.take(chains.pseudonymizer, chains.standing))

    def user_chain(self, records: Sequence[Record], at_ms: int) -> Iterator[Outgoing]:
        """The chain of users' events, as an agent calls it."""
        if self._moved:
            self._moved = False
            self.users.clear()
        self._take_fences()
        self._follower.catch_up()
        effects = self._chains.pipeline.run(records, at_ms)
        self._fair.published(at_ms)
        self.counts.update(effects.counts)
        self.meter.refused(effects.dead_letters)
        self._kept_out.add(effects.unknown_fields)
        return user_records(effects, now_ms())

    def partitions_moved(self) -> None:
        """Another worker may write users that were this one's: the hot copy is dropped before the
        next batch. This one may have items of which another left some to be made anew.
        """
        self._moved = self._look_over = True
        self._chains.desk.read_anew()

    def item_chain(self, records: Sequence[Record], at_ms: int) -> Iterator[Outgoing]:
        """The chain of announcements and controls, as an agent calls it."""
        self._follower.give_way()
        self._switch.follow()
        effects = self._chains.items.run(records, at_ms)
        self.counts.update(effects.counts)
        self.meter.refused(effects.dead_letters)
        self._kept_out.add(effects.unknown_fields)
        for line in missed_lines(effects.missed):
            log.warning("%s", line)
        return item_records(effects)

    def renew(self) -> Sequence[Outgoing]:
        """A few items with vectors of the encoder in force. Between announcements."""
        self._switch.follow()
        return self.renewal.step() if self._switch.settled else ()

    def metrics(self, beats: Mapping[str, float], leaves: bool = False) -> Outgoing:
        """What was counted since the start, for the topic `metrics`.

        beats: how many seconds ago each chain's thread last passed. leaves: this worker ends in
        order.
        """
        instance, newest = self._settings.stream.instance, self._switch.newest
        figures = {
            "role": "serve",
            "instance": instance,
            "at": now_ms(),
            **told(beats, newest),
            "leaves": leaves,
            "engine": self._engine,
            "store": self._settings.store.kind,
            "counts": dict(self.counts),
            "model_version": self.version,
            "model_at": self._version_at,
            "model_examples": self._replica.learned,
            "hot_users": len(self.users),
            "unknown_fields": dict(self._kept_out.counts),
            "title_tokens": self._titles.seen.total,
            "unknown_title_tokens": self._titles.seen.unknown,
            "catalogue_texts": text_sources(self._switch.items.behind),
            "user_texts": text_sources(self._switch.users.behind),
            "pictures": {} if self._pictures is None else dict(self._pictures.counts),
            "encoded_tokens": tokens_read(newest),
            "encoder": newest.revision,
            "to_renew": len(self.renewal),
            "items": len(self._chains.catalogue),
            "lag": self.lag,
            "spans": self.spans(),
            "process": process_figures(),
            "fairness": self._fair.record,
            **self.meter.report(),
        }
        return Outgoing(Topic.METRICS, instance.encode(), orjson.dumps(figures))

    def stop(self) -> None:
        """End the threads and let the store go: what was written is on the disk."""
        for feed in self._feeds.values():
            feed.stop()
        self._decided.stop()
        self._switch.close()
        if self._pictures is not None:
            self._pictures.close()
        self._store.close()
