"""The serve process: the chains of a `ServeWorker` as agents of a Faust app, its figures each
second, the watchdog beside them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import faust
from faust.exceptions import ConsumerNotStarted

from stream.broker.connect import client_options
from stream.broker.incarnations import begin_made_anew
from stream.broker.lag import INPUT_TOPICS, Backlog, Lag
from stream.broker.quiet import quieten
from stream.broker.retention import warn_removed
from stream.metrics.endpoint import SERVE_PLACE, endpoint
from stream.serve.agents import ITEM_TOPICS, USER_TOPICS, Batching, add_agent, fail_stop, send
from stream.serve.beats import Beats
from stream.serve.faust_app import faust_app
from stream.serve.meter import ITEMS, USERS
from stream.serve.watchdog import STALL_SECONDS, Stall, Watchdog, end_stalled
from stream.serve.worker import ServeWorker
from stream.tracing.start import tracing
from upwell.events import Topic
from upwell.settings import Settings
from upwell.system.threads import end_with_any_thread

if TYPE_CHECKING:
    from stream.tracing.spans import Tracing

__all__ = ["run_serve"]

METRICS_SECONDS = 1.0
TOLD_TOPICS = (Topic.CATALOGUE, Topic.RULES)  # what the items' chain makes of its own


def run_serve(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C; the process ends with it, and with any thread that fails."""
    end_with_any_thread()
    worker = ServeWorker(settings)
    try:
        worker.admit()
        worker.start()
        begin_made_anew(
            client_options(settings.kafka),
            settings.kafka.prefix,
            {topic: worker.incarnations.ids[topic] for topic in (*INPUT_TOPICS, *TOLD_TOPICS)},
            settings.data,
        )
        with (
            Lag(client_options(settings.kafka), settings.kafka.prefix) as lag,
            endpoint(settings.metrics, SERVE_PLACE) as show,
            tracing(settings, "serve") as spans,
        ):
            removed = lag.removed_unread()
            warn_removed(removed)
            worker.counts["removed_unread"] = sum(removed.values())
            if spans is not None:
                worker.spans = spans.report
            _run(settings, worker, lag, show, spans)
    finally:
        worker.stop()


def _run(
    settings: Settings,
    worker: ServeWorker,
    lag: Lag,
    show: Callable[[bytes], None],
    spans: Tracing | None,
) -> None:
    app = faust_app(settings)
    _add_chains(app, settings, worker, show, spans)

    def look() -> Backlog:
        if (anew := worker.incarnations.changed()) is not None:
            end_stalled(anew)
        backlog = lag.backlog(_own_partitions(app))
        worker.lag = backlog.topics
        return _own_work(backlog, worker.waits())

    watchdog = Watchdog(look, Stall(STALL_SECONDS), end_stalled, time.monotonic)
    watchdog.start()
    quieten()
    logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(_is_no_first_second)
    try:
        faust.Worker(
            app, loglevel="WARN", quiet=True, redirect_stdouts=False
        ).execute_from_commandline()
    finally:
        watchdog.stop()


def _add_chains(
    app: faust.App,
    settings: Settings,
    worker: ServeWorker,
    show: Callable[[bytes], None],
    spans: Tracing | None,
) -> None:
    """Both chains, their figures, and what they must know of the group."""
    stream = settings.stream
    batching = Batching(stream.batch_events, stream.batch_ms / 1000, worker.meter, spans)
    prefix, beats = settings.kafka.prefix, Beats(time.monotonic)
    ids = worker.incarnations.ids
    follow, pass_by = beats.through(USERS, worker.follow), beats.through(ITEMS)
    add_agent(app, USERS, USER_TOPICS, prefix, batching, worker.user_chain, ids, follow)
    worker.renewal.owns = partial(_owns, app, prefix + Topic.ITEMS, worker.partition_of)
    add_agent(
        app, ITEMS, ITEM_TOPICS, prefix, batching, worker.item_chain, ids, pass_by, worker.renew
    )

    async def report() -> None:
        said = worker.metrics(beats.ages())
        show(said.value)
        await fail_stop(send(app, prefix, [said]))

    app.timer(interval=METRICS_SECONDS)(report)

    @app.on_before_shutdown.connect
    async def leave(*_: Any, **__: Any) -> None:
        await send(app, prefix, [worker.metrics(beats.ages(), leaves=True)])

    async def moved(*_: Any, **__: Any) -> None:
        worker.partitions_moved()

    app.on_partitions_revoked.connect(moved)
    app.on_partitions_assigned.connect(moved)


def _own_work(backlog: Backlog, waits: Mapping[str, float]) -> Backlog:
    """None while a chain waits for encode workers: it does not stall, and is not helped by a
    start.
    """
    return replace(backlog, behind=0) if waits else backlog


def _own_partitions(app: faust.App) -> set[tuple[str, int]]:
    """None while the worker starts, which may take longer than the watchdog's first look."""
    try:
        return {(held.topic, held.partition) for held in app.consumer.assignment()}
    except ConsumerNotStarted:
        return set()


def _owns(
    app: faust.App, items: str, partition_of: Callable[[bytes], int], item_id: str
) -> bool | None:
    """Whether an item's announcements come to this worker; None before it has any partition."""
    own = _own_partitions(app)
    return (items, partition_of(item_id.encode())) in own if own else None


def _is_no_first_second(record: logging.LogRecord) -> bool:
    """A broker that has just started has no group coordinator yet; the client asks again, and a
    person need not hear of it.
    """
    return "GroupCoordinatorNotAvailable" not in record.getMessage()
