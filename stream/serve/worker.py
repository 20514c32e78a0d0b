"""The serve process: builds the two chains from the settings, keeps level with `catalogue` and
`models`, and runs the Faust worker.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import faust
import orjson

from encoders import in_bulk, load_encoder
from learner.release.replica import Replica
from stream.broker.connect import (
    client_options,
    faust_broker,
    faust_credentials,
    open_settings_store,
)
from stream.broker.feeds import Broadcast
from stream.broker.lag import Lag, Progress
from stream.broker.retention import oldest_record_ms
from stream.broker.topics import partitioner
from stream.chain.build import Ports, build_chains
from stream.chain.catalogue import check_revision
from stream.chain.fences import fences_on_controls
from stream.chain.privacy import load_or_create_key
from stream.chain.publish import Outgoing, item_records, user_records
from stream.chain.records import Record
from stream.serve.agents import (
    ITEM_TOPICS,
    USER_TOPICS,
    Batching,
    add_agent,
    fail_stop,
    now_ms,
    send,
)
from stream.serve.follow import Follower
from stream.serve.model_reader import ModelReader
from stream.serve.unknown_fields import KeptOut
from stream.serve.watchdog import STALL_SECONDS, Stall, Watchdog, end_stalled
from upwell.events import Topic
from upwell.settings import Settings
from upwell.values import CatalogueItem

__all__ = ["ServeWorker", "run_serve"]

METRICS_SECONDS = 1.0
SESSION_TIMEOUT_S = 10.0
MAX_REQUEST_BYTES = 16 << 20
BUFFER_EVENTS = 4_096
BUFFER_SLACK = BUFFER_EVENTS // 5
"""Of a chain's events that wait: Faust pauses a partition when only the slack is left, and stops
reading all topics when nothing is.
"""

log = logging.getLogger("upwell.serve")


class ServeWorker:
    """Everything of one serve process but Faust: the ports, the chains, the feeds. Two threads call
    it, one a chain.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        options = client_options(settings.kafka)
        encoder = load_encoder(
            settings.encoder.model,
            device=settings.encoder.device,
            cache_entries=settings.encoder.cache_entries,
        )
        self._encoder = encoder
        self._store = open_settings_store(settings, encoder.dimension)
        self._replica = Replica(settings.learner, encoder.dimension, settings.learner.seed)
        self._catalogue_feed = Broadcast(settings.kafka.prefix + Topic.CATALOGUE, options)
        self._model_feed = Broadcast(settings.kafka.prefix + Topic.MODELS, options)
        self._control_feed = Broadcast(settings.kafka.prefix + Topic.CONTROLS, options)
        self._follower = Follower(
            self._catalogue_feed,
            self._model_feed,
            self._know,
            self._announce,
            ModelReader(self._replica, settings.data / "models"),
        )
        ports = Ports(
            store=self._store,
            encoder=encoder,
            bulk=in_bulk(encoder),
            ranker=self._replica,
            key=_key(settings),
            partition_of=partitioner(settings.kafka.partitions),
            oldest_ms=partial(oldest_record_ms, options, settings.kafka.prefix),
        )
        self._chains = build_chains(settings, ports)
        self.users = self._chains.users
        self.counts: Counter[str] = Counter()
        self._kept_out = KeptOut()
        self.version = ""
        self._moved = False

    def start(self) -> None:
        """Read the catalogue, the model and who was forgotten as they stand; blocks until all are
        whole.
        """
        self._catalogue_feed.start()
        self._model_feed.start()
        self._control_feed.start()
        self._take_fences()
        self._follower.level()
        self.version = self._replica.version
        log.info("catalogue of %d items, model %s", len(self._chains.catalogue), self.version)

    def follow(self) -> bool:
        """Take in a little of what the catalogue and the model became since; False where there was
        nothing. Between users' batches.
        """
        more = self._follower.step()
        self.version = self._replica.version
        return more

    def _know(self, items: Sequence[CatalogueItem]) -> None:
        check_revision(items, self._encoder.revision)
        self._chains.catalogue.put(items)

    def _announce(self, items: Sequence[CatalogueItem]) -> None:
        self._replica.add_items(_newest(items))

    def _take_fences(self) -> None:
        self._chains.pipeline.fence(
            fences_on_controls(
                self._control_feed.drain(),
                self._chains.pseudonymizer,
                partitioner(self._settings.kafka.partitions),
            )
        )

    def user_chain(self, records: Sequence[Record], at_ms: int) -> Iterator[Outgoing]:
        """The chain of users' events, as an agent calls it."""
        if self._moved:
            self._moved = False
            self.users.clear()
        self._take_fences()
        self._follower.catch_up()
        effects = self._chains.pipeline.run(records, at_ms)
        self.counts.update(effects.counts)
        self._kept_out.add(effects.unknown_fields)
        return user_records(effects, now_ms())

    def partitions_moved(self) -> None:
        """Another worker may write users that were this one's: the hot copy is dropped before the
        next batch.
        """
        self._moved = True

    def item_chain(self, records: Sequence[Record], at_ms: int) -> Iterator[Outgoing]:
        """The chain of announcements and controls, as an agent calls it."""
        effects = self._chains.items.run(records, at_ms)
        self.counts.update(effects.counts)
        self._kept_out.add(effects.unknown_fields)
        return item_records(effects)

    def metrics(self) -> Outgoing:
        """What was counted since the start, for the topic `metrics`."""
        figures = {
            "role": "serve",
            "at": now_ms(),
            "counts": dict(self.counts),
            "model_version": self.version,
        }
        more = {"hot_users": len(self.users), "unknown_fields": dict(self._kept_out.counts)}
        return Outgoing(Topic.METRICS, b"serve", orjson.dumps({**figures, **more}))

    def stop(self) -> None:
        """End the threads and let the store go: what was written is on the disk."""
        self._catalogue_feed.stop()
        self._model_feed.stop()
        self._control_feed.stop()
        self._encoder.close()
        self._store.close()


def run_serve(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C; the process ends with it."""
    worker = ServeWorker(settings)
    try:
        worker.start()
        with Lag(client_options(settings.kafka), settings.kafka.prefix) as lag:
            _run(settings, worker, lag)
    finally:
        worker.stop()


def _run(settings: Settings, worker: ServeWorker, lag: Lag) -> None:
    app = _faust_app(settings)
    batching = Batching(settings.stream.batch_events, settings.stream.batch_ms / 1000)
    prefix = settings.kafka.prefix
    add_agent(app, "users", USER_TOPICS, prefix, batching, worker.user_chain, spare=worker.follow)
    add_agent(app, "items", ITEM_TOPICS, prefix, batching, worker.item_chain)

    async def report() -> None:
        await fail_stop(send(app, prefix, [worker.metrics()]))

    app.timer(interval=METRICS_SECONDS)(report)

    @app.on_partitions_revoked.connect
    async def moved(*_: Any, **__: Any) -> None:
        worker.partitions_moved()

    def look() -> Progress:
        return lag.progress({(held.topic, held.partition) for held in app.consumer.assignment()})

    watchdog = Watchdog(look, Stall(STALL_SECONDS), end_stalled, time.monotonic)
    watchdog.start()
    logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(_is_no_first_second)
    try:
        faust.Worker(
            app, loglevel="WARN", quiet=True, redirect_stdouts=False
        ).execute_from_commandline()
    finally:
        watchdog.stop()


def _is_no_first_second(record: logging.LogRecord) -> bool:
    """A broker that has just started has no group coordinator yet; the client asks again, and a
    person need not hear of it.
    """
    return "GroupCoordinatorNotAvailable" not in record.getMessage()


def _faust_app(settings: Settings) -> faust.App:
    return faust.App(
        settings.kafka.prefix + "serve",
        broker=faust_broker(settings),
        datadir=settings.data / "faust",
        broker_credentials=faust_credentials(settings),
        broker_commit_interval=0.5,
        broker_max_poll_records=max(1, BUFFER_SLACK // settings.kafka.partitions),
        broker_session_timeout=SESSION_TIMEOUT_S,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.stream.instance,
        producer_acks=-1,
        producer_max_request_size=MAX_REQUEST_BYTES,
        stream_buffer_maxsize=BUFFER_EVENTS,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
    )


def _key(settings: Settings) -> bytes:
    """The pseudonyms' key: from the settings, else the one kept in the data folder."""
    if settings.privacy.key is not None:
        return bytes.fromhex(settings.privacy.key.reveal())
    return load_or_create_key(settings.data / "key")


def _newest(items: Sequence[CatalogueItem]) -> list[CatalogueItem]:
    """Of each item the last entry read."""
    return list({item.item_id: item for item in items}.values())
