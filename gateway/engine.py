"""The gateway's side of Kafka in one piece: what follows, what sends, and where each record goes.

Reading threads hand records to the event loop; everything that the calls ask belongs to its thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from gateway.edge.meter import Meter
from gateway.live import Hub
from gateway.parts import Parts
from gateway.review import Reviews
from gateway.topics.figures import Figures
from gateway.topics.follow import TopicFollower
from gateway.topics.letters import Letters
from gateway.topics.model import ModelFollower
from gateway.topics.newest import NewestLists, surface_of
from gateway.topics.send import KafkaOut, Sender
from gateway.topics.waiting import Waiting
from gateway.topics.words import Words
from gateway.users import Users, Worded
from stream.chain.validate import decode
from stream.ops.review.desk import read_rows
from upwell.client import client_options
from upwell.events import Control, ControlKind, Topic
from upwell.settings import Settings
from upwell.system.clock import now_ms
from upwell.system.process import process_figures

__all__ = ["Gateway"]

log = logging.getLogger("upwell.gateway")


class Gateway:
    """dimension: of the items' vectors. loop: whose thread owns all but the reading. failed: is
    told, on the loop's thread, what ended a reading thread.

    Raises `BrokerError` where no broker answers.
    """

    def __init__(
        self,
        settings: Settings,
        dimension: int,
        loop: asyncio.AbstractEventLoop,
        failed: Callable[[BaseException], object],
    ) -> None:
        own, kafka = settings.gateway, settings.kafka
        self._loop = loop
        self._warm = False
        self._prefix = kafka.prefix
        client = client_options(kafka)

        def tell(exc: BaseException) -> None:
            loop.call_soon_threadsafe(failed, exc)

        self._topics = TopicFollower(client, kafka.prefix, own.users, self._deliver, tell)
        self._model = ModelFollower(settings, dimension, tell)
        self._sender = Sender(KafkaOut(client, kafka.prefix), own.in_flight)
        self._newest = NewestLists(own.users)
        self._waiting = Waiting()
        self._figures = Figures()
        self._letters = Letters(client, kafka.prefix)
        self._words = Words()
        self._listed_at: int | None = None
        self.hub = Hub(own.streams)
        self.parts = Parts(
            users=Users(self._newest, self._waiting, self._sender),
            items=self._model,
            hub=self.hub,
            worded=Worded(settings.reasons.file),
            figures=self._figures,
            letters=self._letters,
            words=self._words,
            reviews=Reviews(
                partial(read_rows, settings), self._model.kept, self._waiting, self._sender
            ),
            versions=self._model.versions,
            meter=Meter(),
            warming=lambda: None if self._warm else "what the topics hold is still being read",
            shortcomings=self._shortcomings,
        )

    def warm_up(self) -> None:
        """Read what there is; returns when all is known. On any thread but the loop's.

        Raises `BrokerError`, `ModelError`.
        """
        self._topics.start()
        self._model.start()
        self._loop.call_soon_threadsafe(self._warmed)

    def record(self) -> dict[str, Any]:
        """What the gateway says of itself, as `stream.metrics.registry` reads it. On any thread."""
        return {
            "role": "gateway",
            "instance": "gateway",
            "at": now_ms(),
            **self.parts.meter.report(),
            **self._model.report(),
            "in_flight": {
                "events": self._sender.in_flight,
                "bytes": self._sender.in_flight_bytes,
            },
            "streams": {"open": len(self.hub), "dropped": self.hub.dropped},
            "lists": len(self._newest),
            "newest_list_at": self._listed_at,
            "silent_seconds": self._topics.silent_seconds if self._warm else None,
            "process": process_figures(),
        }

    def close(self) -> None:
        """Deliver what waits, end the threads. On any thread but the loop's, once it is warm."""
        self._sender.close()
        self._topics.stop()
        self._model.stop()

    def _warmed(self) -> None:
        self._warm = True
        log.info("ready: the newest lists of %d users are held", len(self._newest))

    def _shortcomings(self) -> Sequence[str]:
        found = self.parts.warming() or self._topics.shortcoming()
        return [found] if found else []

    def _deliver(self, records: Sequence[Any]) -> None:
        self._loop.call_soon_threadsafe(self._take, records)

    def _take(self, records: Sequence[Any]) -> None:
        for record in records:
            if record.value is not None:
                topic = Topic(record.topic.removeprefix(self._prefix))
                user_id = (record.key or b"").decode(errors="replace")
                self._sort(topic, user_id, record.timestamp, record.value)

    def _sort(self, topic: Topic, user_id: str, appended_ms: int, value: bytes) -> None:
        if topic is Topic.RECOMMENDATIONS:
            self._listed_at = max(appended_ms, self._listed_at or 0)
            surface = surface_of(value)
            if self._newest.put(user_id, appended_ms, value, surface):
                self.hub.publish(user_id, value, surface)
            self._waiting.answered(user_id, value)
        elif topic is Topic.CONFIRMATIONS:
            self._waiting.answered(user_id, value)
        elif topic is Topic.DEAD_LETTERS:
            self._waiting.refused(value)
            self._letters.take(value)
        elif topic is Topic.METRICS:
            self._figures.take(value)
        else:
            self._governed(value, appended_ms)

    def _governed(self, value: bytes, appended_ms: int) -> None:
        """A word on an item is remembered. One on a user: who was forgotten is not shown, nor their
        guests.
        """
        control = decode(Topic.CONTROLS, 0, 0, value, now_ms())
        if not isinstance(control, Control):
            return
        self._words.take(control, appended_ms)
        if control.user_id is None:
            return
        if control.kind is ControlKind.FORGET_USER:
            self._newest.forget(control.user_id, appended_ms)
        elif control.kind is ControlKind.MERGE_USER and control.from_user is not None:
            self._newest.merge(control.from_user, control.user_id, appended_ms)
