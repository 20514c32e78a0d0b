"""The encode process: two lanes, of users' texts and of items', over one set of models, and its
figures each second.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import orjson
from kafka import KafkaProducer
from kafka.errors import KafkaError

from encoders import busy_seconds, tokens_read
from encoders.load import model_revision
from stream.broker.connect import client_options
from stream.broker.encoders import Named
from stream.broker.encoders.topic import read_lineage
from stream.broker.quiet import quieten
from stream.broker.topics import ensure_topics, no_broker
from stream.chain.catalogue import vectors_of
from stream.encode.lane import Lane
from stream.encode.load import load
from stream.encode.models import Models
from stream.encode.topics import ENCODE_TOPICS, EncodeTopic
from stream.metrics.endpoint import ENCODE_PLACE, endpoint
from upwell.errors import SettingsError
from upwell.events import Topic
from upwell.settings import Settings
from upwell.system.clock import now_ms
from upwell.system.process import process_figures
from upwell.system.threads import end_with_any_thread, start_thread

__all__ = ["encode_name", "figures", "run_encode"]

FIGURES_SECONDS = 1.0
LANES: Mapping[str, EncodeTopic] = {
    "users": EncodeTopic.TEXTS,
    "items": EncodeTopic.ITEM_TEXTS,
}

log = logging.getLogger("upwell.encode")


def encode_name(settings: Settings) -> str:
    """As the worker calls itself on `metrics`: a serve worker may have the same instance."""
    return f"encode-{settings.stream.instance}"


def run_encode(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C. Raises `SettingsError` where serve workers encode themselves,
    or ask for another model.
    """
    end_with_any_thread()
    if settings.encoder.by == "serve":
        raise SettingsError(
            "UPWELL_ENCODED_BY is serve, so nobody would ask this worker: set it to encode for all "
            "workers of the prefix, or do not start this one"
        )
    kafka, client = settings.kafka, client_options(settings.kafka)
    own = Named(vectors_of(model_revision(settings.encoder.model)), settings.encoder.model)
    ensure_topics(kafka.prefix, kafka.partitions, client)
    ensure_topics(kafka.prefix, kafka.partitions, client, ENCODE_TOPICS)
    lineage = partial(read_lineage, client, kafka.prefix)
    with (
        closing(Models(own, partial(load, settings.encoder), lineage)) as models,
        endpoint(settings.metrics, ENCODE_PLACE) as show,
    ):
        models.begin()
        lanes = {name: Lane(topic, models, client, kafka.prefix) for name, topic in LANES.items()}
        stopping = threading.Event()
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: stopping.set())
        quieten()
        _run(settings, lanes, models, stopping, show)


def figures(
    settings: Settings, lanes: Mapping[str, Lane], models: Models, leaves: bool
) -> dict[str, Any]:
    """What the worker says of itself. leaves: it ends in order."""
    newest = models.newest
    return {
        "role": "encode",
        "instance": encode_name(settings),
        "at": now_ms(),
        "leaves": leaves,
        "beats": {"encoder": round(busy_seconds(newest), 3) if newest else 0.0},
        "encoder": newest.revision if newest else "",
        "encoded_tokens": tokens_read(newest) if newest else 0,
        "encode": {
            "texts": {name: lane.counts["texts"] for name, lane in lanes.items()},
            "unread": {
                why: sum(lane.counts[why] for lane in lanes.values())
                for why in ("unreadable", "stale")
            },
        },
        "process": process_figures(),
    }


def _run(
    settings: Settings,
    lanes: Mapping[str, Lane],
    models: Models,
    stopping: threading.Event,
    show: Callable[[bytes], None],
) -> None:
    """Until told to stop, or a lane fails: then raises what that raised."""
    failures: SimpleQueue[BaseException] = SimpleQueue()
    threads = [start_thread(f"encode-{name}", one.run, failures.put) for name, one in lanes.items()]
    client = client_options(settings.kafka)
    try:
        with closing(KafkaProducer(acks="all", **client)) as producer:
            log.info("encode: waiting for texts")
            while not stopping.wait(FIGURES_SECONDS):
                with suppress(Empty):
                    raise failures.get_nowait()
                _tell(settings, producer, figures(settings, lanes, models, False), show)
            for lane in lanes.values():
                lane.stop()
            for thread in threads:
                thread.join()
            _tell(settings, producer, figures(settings, lanes, models, True), show)
    except KafkaError as exc:
        raise no_broker(client, exc) from exc


def _tell(
    settings: Settings, producer: Any, said: Mapping[str, Any], show: Callable[[bytes], None]
) -> None:
    """A record for `metrics`; one that is lost is followed by the next."""
    record = orjson.dumps(said)
    show(record)
    with suppress(KafkaError):  # the broker is away: the lanes say so
        key = str(said["instance"]).encode()
        producer.send(settings.kafka.prefix + Topic.METRICS, value=record, key=key)
