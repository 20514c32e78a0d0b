"""The learner's topics: what it reads `examples` with, and what it writes with while it holds the
lock. It knows nothing of when.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import orjson
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from learner.release.guard import Ruling, Verdict
from learner.training.learner import Learner
from learner.training.promotion import Promotion
from stream.broker.away import Patience
from stream.broker.erasures.topic import read_ledger
from stream.broker.feeds import FETCH_BYTES
from stream.broker.retention import warn_removed
from stream.chain.publish import Outgoing
from stream.learn.lock import LearnerLock
from upwell.events import Topic
from upwell.system.offsets import beginnings_of
from upwell.system.process import process_figures

__all__ = ["Sender", "examples_consumer", "figures_record", "warn_of"]

SEND_TIMEOUT_S = 60
WAIT = Verdict.WAIT  # no ruling

log = logging.getLogger("upwell.learn")


class Sender:
    """Writes for the holder of `lock`, until `close`. show: told each record for `metrics`, before
    it is sent.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        prefix: str,
        lock: LearnerLock,
        show: Callable[[bytes], None],
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._lock = lock
        self._show = show
        self._patience = Patience("learn")
        self.producer = KafkaProducer(acks="all", max_request_size=FETCH_BYTES, **client)

    def close(self) -> None:
        self.producer.close()

    def confirm(self) -> None:
        """Before what is sent in one go, a few milliseconds of records: raises `BrokerError` where
        this is not the learner any more. Costs a round trip to the broker.
        """
        self._lock.confirm()

    def send(self, one: Outgoing) -> int:
        """Its offset, once all replicas have it. Raises `KafkaError`."""
        if one.topic is Topic.METRICS:
            self._show(one.value)
        sent = self.producer.send(
            self._prefix + one.topic,
            key=one.key,
            value=None if one.gone else one.value,
            partition=one.partition,
            headers=list(one.headers),
        )
        return int(sent.get(timeout=SEND_TIMEOUT_S).offset)

    def forgotten(self) -> Collection[str]:
        """Pseudonyms that the ledger of erasures names now. Raises `BrokerError`."""
        return read_ledger(self._client, self._prefix) or {}

    def truncate(self, offset: int) -> None:
        """Cut `models` off before `offset`. Raises `KafkaError`."""
        self._patience.call(partial(self._truncate, offset))

    def _truncate(self, offset: int) -> None:
        admin = KafkaAdminClient(**self._client)
        try:
            admin.delete_records({TopicPartition(self._prefix + Topic.MODELS, 0): offset})
        finally:
            admin.close()


def examples_consumer(
    client: Mapping[str, Any], prefix: str, positions: Mapping[int, int]
) -> KafkaConsumer:
    """On all partitions of `examples`, each at its next offset, or at its first one where
    `positions` does not name it; warns of what was removed before it was read.
    """
    topic = prefix + Topic.EXAMPLES
    consumer = KafkaConsumer(
        isolation_level="read_committed",
        group_id=None,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **client,
    )
    partitions = [
        TopicPartition(topic, number)
        for number in sorted(consumer.partitions_for_topic(topic) or ())
    ]
    consumer.assign(partitions)
    starts = beginnings_of(consumer, partitions)
    known = {
        partition: positions[partition.partition]
        for partition in partitions
        if partition.partition in positions
    }
    warn_removed({one: starts[one] - place for one, place in known.items() if place < starts[one]})
    for partition in partitions:
        consumer.seek(partition, max(known.get(partition, 0), starts[partition]))
    return consumer


def figures_record(
    learner: Learner,
    promotion: Promotion,
    at: int,
    *,
    learned: int,
    waiting: int,
    positions: Mapping[int, int],
    topic_id: str,
    engine: str,
    quarantine: Mapping[str, Any] | None = None,
) -> Outgoing:
    """What the learner says of itself on `metrics`. at: UTC ms. learned: examples since it started.
    waiting: about how many are not learned yet.
    positions: the next offset of each partition of `examples`, of the incarnation `topic_id`.
    engine: whose learner it is. quarantine: its figures, none where
    there is none.
    """
    figures = {
        "role": "learn",
        "instance": "learn",
        "engine": engine,
        "at": at,
        "examples": learned,
        "waiting": waiting,
        "share": learner.share,
        "tests": learner.tests,
        "positions": positions,
        "topic_id": topic_id,
        "model_version": promotion.version,
        "model_examples": learner.learned,
        "candidates": {str(one): promotion.counts[one] for one in Verdict if one is not WAIT},
        "ruled": promotion.ruled,
        "unannounced": {"waiting": learner.unannounced, "made_room": learner.made_room},
        "figures": learner.figures.report(),
        "groups": learner.groups.report(),
        "segment_gaps": learner.groups.segments.gaps(),
        "train": learner.trained,
        "private": learner.told,
        "items": learner.items,
        "prices": learner.prices,
        **({"quarantine": quarantine} if quarantine else {}),
        "process": process_figures(),
    }
    value = orjson.dumps(figures, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)
    return Outgoing(Topic.METRICS, b"learn", value)


def warn_of(ruling: Ruling, version: str) -> None:
    """On the log, where trained weights were rolled back to `version`."""
    if ruling.verdict is not Verdict.ROLL_BACK:
        return
    why = (
        f"not finite, or short of a bound: {', '.join((*ruling.broken, *ruling.short))}"
        if ruling.broken or ruling.short
        else f"NDCG@10 {ruling.candidate:.4f} on {ruling.targets} targets"
    )
    log.warning(
        "trained weights rolled back to %s (%s, serving %.4f)", version, why, ruling.serving
    )
