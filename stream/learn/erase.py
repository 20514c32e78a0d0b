"""The learn process's part in forgetting a user once nothing of the user is left: the
confirmation.

The app's user_id stands on no internal topic and in no checkpoint: it is read again from the
request itself, where that stands.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import TopicPartition

from stream.broker.erasures import ledger as ledgers
from stream.broker.erasures.topic import add_to_ledger, read_ledger
from stream.broker.feeds import read_partition
from stream.broker.incarnations import incarnations_of
from stream.chain.publish import Outgoing
from stream.chain.records import Record, decode_records
from stream.chain.sources import Source
from stream.learn.options import LearnOptions
from upwell.codec import confirmation_value
from upwell.errors import SnapshotError
from upwell.events import Control, Topic
from upwell.recommendations import Confirmation

__all__ = [
    "REMAINS",
    "Unconfirmed",
    "confirmation_record",
    "confirmations",
    "keep_ledger",
    "remains",
    "request_at",
]

LEDGER_LOOKS, LEDGER_SECONDS = 20, 0.25
"""That serve's entry is waited for behind its erasure."""

log = logging.getLogger("upwell.learn")

REMAINS = (
    "Kafka keeps the user's events, their lists, training examples, this request and its "
    "confirmation until each topic's retention removes "
    "them (a week unless you set it otherwise)",
    "dead letters are marked as removed now, and their bytes go when Kafka compacts the "
    "topic; those in which no user could be read stay",
    "the store's write-ahead log and disk blocks hold what was removed until the store "
    "writes over them",
    "weights and counts that were learned from the user stay; they name nobody",
    "snapshots and backups taken before hold the user: delete them; a restore forgets the user "
    "again, by the ledger of erasures",
    "the ledger of erasures keeps that a pseudonym was forgotten, and when",
)
"""What an erasure cannot take back."""
UNTIL_AFRESH = (
    "weights and counts that were learned from the user stay, and name nobody, until a learner "
    "that began afresh without the user takes their place (UPWELL_RELEARN is {}: so many erasures "
    "are waited for, and `examples` must reach back far enough)"
)


def remains(relearn: int) -> tuple[str, ...]:
    """With a learner that begins afresh after so many erasures; 0 is never."""
    if not relearn:
        return REMAINS
    return (*REMAINS[:3], UNTIL_AFRESH.format(relearn), *REMAINS[4:])


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """An erasure that is carried out, and confirmed once a checkpoint without the user is the
    oldest. Names no user.

    source, offset: where its request stands. removed: as in `Confirmation`. guest: of the user of
    the request, whose own erasure comes behind and is confirmed.
    """

    source: str
    offset: int
    removed: Mapping[str, int]
    guest: bool = False


def confirmation_record(
    erasure: Unconfirmed, checkpoints: int, request: Control, now_ms: int, relearn: int = 0
) -> Outgoing:
    """checkpoints: older ones that were removed. request: what stands at its place. relearn: as of
    `remains`.
    """
    assert request.user_id is not None, "a request to forget names its user"
    removed = {**erasure.removed, "checkpoints": checkpoints}
    value = Confirmation(
        user_id=request.user_id,
        event_id=request.event_id,
        removed=removed,
        remains=remains(relearn),
        ts=now_ms,
    )
    return Outgoing(Topic.CONFIRMATIONS, request.user_id.encode(), confirmation_value(value))


def confirmations(
    options: LearnOptions, erasures: Sequence[Unconfirmed], checkpoints: int, now_ms: int
) -> Iterator[Outgoing]:
    """Of those whose request still stands; the others are named on the log. The copies of the
    ledger have all of them before the first is given.
    """
    client, prefix = options.client, options.prefix
    if erasures and options.ledgers:
        keep_ledger(client, prefix, erasures, options.ledgers)
    for erasure in (one for one in erasures if not one.guest):
        request = request_at(client, prefix, erasure, now_ms)
        if request is None:
            log.error(
                "a user is forgotten; that cannot be confirmed: offset %d of %s is "
                "past its retention",
                erasure.offset,
                erasure.source,
            )
        else:
            yield confirmation_record(erasure, checkpoints, request, now_ms, options.relearn)


def request_at(
    client: Mapping[str, Any], prefix: str, erasure: Unconfirmed, now_ms: int
) -> Control | None:
    """The request of `erasure`, read from `controls` or `rerouted`; None where the topic's
    retention has removed it, or the topic was made anew.
    """
    source = Source.parse(erasure.source)
    now = incarnations_of(client, prefix, [source.topic])
    if source.incarnation and now.get(source.topic) != source.incarnation:
        return None
    place = TopicPartition(prefix + source.topic, source.partition)
    for record in read_partition(client, place, erasure.offset):
        if record.offset != erasure.offset:
            return None
        found = Record(
            source.topic, record.partition, record.offset, record.value, record.timestamp
        )
        event = decode_records([found], now_ms)[0][0].event
        assert isinstance(event, Control), "serve has taken it for one"
        return event
    return None


def keep_ledger(
    client: Mapping[str, Any],
    prefix: str,
    erasures: Iterable[Unconfirmed],
    files: Sequence[Path],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Brings the copies of the ledger level with its topic, once that has `erasures`. The first of
    `files` must be written (`SnapshotError`); of the others it is logged where one cannot be.
    """
    found = _ledger_with(client, prefix, erasures, sleep)
    known = ledgers.read_file(files[0]) if files[0].exists() else {}
    whole = ledgers.newest([*known.values(), *found.values()])
    add_to_ledger(client, prefix, ledgers.later(whole, found).values())  # were it made anew
    ledgers.write_file(files[0], whole)
    for file in files[1:]:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            beside = ledgers.read_file(file) if file.exists() else {}
            ledgers.write_file(file, ledgers.newest([*beside.values(), *whole.values()]))
        except (SnapshotError, OSError) as exc:
            log.warning("%s; a restore from there must be told of %s", exc, files[0])


def _ledger_with(
    client: Mapping[str, Any],
    prefix: str,
    erasures: Iterable[Unconfirmed],
    sleep: Callable[[float], None],
) -> ledgers.Ledger:
    """Serve sends entry and erasure at once, and either may be there first. An entry of the same
    source and a later offset stands for those before it, since one user's replace each other.
    """
    asked: dict[str, int] = {}
    for one in erasures:
        asked[one.source] = max(one.offset, asked.get(one.source, -1))
    for left in reversed(range(LEDGER_LOOKS)):
        found = read_ledger(client, prefix) or {}
        reached: dict[str, int] = {}
        for entry in found.values():
            reached[entry.source] = max(entry.offset, reached.get(entry.source, -1))
        missing = [one for one, offset in asked.items() if reached.get(one, -1) < offset]
        if not missing:
            break
        if left:
            sleep(LEDGER_SECONDS)
    else:
        log.error(
            "erasures of %s are not in the ledger on %s%s: was serve of an older version? After a "
            "restore ask for them again",
            ", ".join(sorted(missing)),
            prefix,
            Topic.ERASURES,
        )
    return found
