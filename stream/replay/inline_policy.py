"""Upwell itself as a policy to value on a log: what it would have shown, had it learned from the
log as it went along.
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Event, Impression, Topic
from upwell.ports import Encoder, Pictures
from upwell.settings import Settings

__all__ = ["Upwell"]

MOST_PLACES = 100


class Upwell:
    """What the inline engine recommends, without exploration: it learns from the log as it goes
    along.
    """

    def __init__(
        self, settings: Settings, encoder: Encoder, pictures: Pictures | None = None
    ) -> None:
        learner = replace(settings.learner, explore=0.0)
        self._engine = InlineEngine(replace(settings, learner=learner), encoder, pictures=pictures)
        self._waiting: list[LogRecord] = []
        self._batch = settings.stream.batch_events

    def see(self, line: LogRecord, event: Event) -> None:
        self._waiting.append(line)
        if len(self._waiting) == self._batch:
            self._catch_up()

    def items_for(self, impression: Impression) -> tuple[str, ...]:
        self._catch_up()
        asked = {
            "event_id": f"evaluate {impression.event_id}"[-256:],
            "request_id": impression.list_id,
            "ts": impression.ts,
            "user_id": impression.user_id,
            "k": min(len(impression.item_ids), MOST_PLACES),
        }
        answer = self._engine.process(
            [LogRecord(0, Topic.REQUESTS, impression.user_id.encode(), orjson.dumps(asked))]
        )
        return tuple(
            entry.item_id for fresh in answer.lists for entry in fresh.items
        )  # a bot gets no list

    def _catch_up(self) -> None:
        if self._waiting:
            self._engine.process(self._waiting)
            self._waiting = []
