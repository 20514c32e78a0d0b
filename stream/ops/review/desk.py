"""The queue of a running engine, and a decision on its way to the record.

A decision is an override under the item's own id: it stands on `audit` with who and why, and waits
for a second person where UPWELL_APPROVALS says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from stream.broker.audit.log import read_overrides
from stream.broker.connect import client_options
from stream.chain.overrides.ledger import Kept
from stream.ops.access.topics import read_topics
from stream.ops.review.alike import like_banned
from stream.ops.review.queue import Row, override_id_of, queue, with_decisions
from stream.ops.review.seen import LOOKED_AT, count
from stream.replay.progress import Moved, unwatched
from upwell.client import UpwellClient
from upwell.errors import BrokerError
from upwell.events import Control, ControlKind, Decision, Topic
from upwell.settings import Settings

__all__ = ["Said", "control_of", "decide", "read_queue", "read_rows"]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Said:
    """Who decides what of an item, and why. days: for which it holds."""

    item_id: str
    decision: Decision
    by: str
    why: str
    days: float
    boost: float | None = None


def read_queue(
    settings: Settings, hours: float, now_ms: int, moved: Moved = unwatched
) -> list[Row]:
    """Of what was appended in the last so many hours. Raises `BrokerError`."""
    rows = read_rows(settings, hours, now_ms, moved)
    kept = read_overrides(client_options(settings.kafka), settings.kafka.prefix)
    return with_decisions(rows, kept.get, now_ms)


def read_rows(settings: Settings, hours: float, now_ms: int, moved: Moved = unwatched) -> list[Row]:
    """The same without what was decided. Raises `BrokerError`."""
    client, prefix = client_options(settings.kafka), settings.kafka.prefix
    since = now_ms - int(hours * HOUR_MS)
    lately: dict[Topic, int] = {one: since for one in LOOKED_AT if one is not Topic.ITEMS}
    seen = count(read_topics(client, prefix, LOOKED_AT, moved, lately), since, now_ms + 1)
    if not settings.stream.review_teaches:
        return queue(seen, since, now_ms)
    alike = like_banned(seen, read_overrides(client, prefix), now_ms)
    return queue(seen, since, now_ms, alike)


def decide(
    settings: Settings,
    client: UpwellClient,
    said: Said,
    now_ms: int,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Kept:
    """What stands of it once a worker has ruled. Raises `BrokerError` where none has in time,
    `InvalidEventError` where the fields do not go together.
    """
    control = control_of(said, now_ms)
    client.send(control)
    client.flush()
    return _ruled(settings, control, clock() + seconds, clock)


def control_of(said: Said, now_ms: int) -> Control:
    """As it goes to Kafka. now_ms: UTC ms."""
    return Control(
        event_id=f"review-{uuid4().hex}",
        ts=now_ms,
        kind=ControlKind.OVERRIDE,
        by=said.by,
        why=said.why,
        override_id=override_id_of(said.item_id),
        item_id=said.item_id,
        decision=said.decision,
        boost=said.boost,
        until_ts=now_ms + int(said.days * DAY_MS),
    )


def _ruled(settings: Settings, control: Control, until: float, clock: Callable[[], float]) -> Kept:
    options, prefix = client_options(settings.kafka), settings.kafka.prefix
    while True:
        kept = read_overrides(options, prefix).get(control.override_id or "")
        standing = () if kept is None else (kept.standing, kept.waiting)
        if kept is not None and control.event_id in {one.event_id for one in standing if one}:
            return kept
        if clock() >= until:
            raise BrokerError(
                "nobody ruled on the decision in time: does a serve worker run? It stands on "
                f"`controls` as {control.event_id}; if it was refused, `upwell audit show` says why"
            )
        time.sleep(LOOK_SECONDS)
