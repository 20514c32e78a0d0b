"""The queue as it is held, and a decision that waits for its ruling."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.edge.refusals import Refused
from gateway.review import HELD_SECONDS, MOST_OF_TIME, Reviews
from gateway.topics.send import Parcel, Sender
from gateway.topics.waiting import Waiting
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override
from stream.ops.review.desk import Said
from stream.ops.review.queue import Reason, Row, override_id_of
from tests.gateway.served import FakeOut
from upwell.codec import dead_letter_value
from upwell.errors import BrokerError, InvalidEventError
from upwell.events import Decision
from upwell.recommendations import DeadLetter

NOW = 1_700_000_000_000
ROW = Row(
    item_id="i1", title="One", reasons=(Reason.REPORTED,), since=NOW - 5, against=4, now=0,
    before=1, drift=-0.5, shown=7, announced=None, like=None, decided=None,
)  # fmt: skip
BAN = Said("i1", Decision.BAN, "ann", "many speak against it", 1.0)


def decided(item_id: str = "i1", **more: Any) -> Override:
    told = {"decision": Decision.KEEP, "by": "ann", "why": "seen", "event_id": "e", "at": NOW}
    return Override.of({"override_id": override_id_of(item_id), "item_id": item_id, **told, **more})


class Around:
    """What the queue reads from, in memory; seconds: that a reading takes."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.kept: dict[str, Kept] = {}
        self.asked: list[int] = []
        self.at = 0.0
        self.seconds = seconds
        self.fault: str | None = None
        self.out = FakeOut()
        self.waiting = Waiting()
        self.reviews = Reviews(
            self.read, self.stands, self.waiting, Sender(self.out, 10), lambda: self.at
        )

    def read(self, hours: int, now_ms: int) -> Sequence[Row]:
        self.asked.append(hours)
        self.at += self.seconds
        if self.fault is not None:
            raise BrokerError(self.fault)
        return [ROW]

    def stands(self, override_ids: Sequence[str]) -> Mapping[str, Kept]:
        return {name: self.kept[name] for name in override_ids if name in self.kept}

    def run(self, work: Callable[[], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            self.out.loop = asyncio.get_running_loop()
            return await work()

        return asyncio.run(whole())


def test_it_is_read_once_for_many_and_again_when_it_is_old() -> None:
    around = Around()

    async def many() -> None:
        found = await asyncio.gather(*(around.reviews.look(24, NOW) for _ in range(20)))
        assert {one.rows for one in found} == {(ROW,)}

    around.run(many)
    assert around.asked == [24]
    around.at += HELD_SECONDS - 0.01
    around.run(lambda: around.reviews.look(24, NOW))
    assert around.asked == [24]
    around.at += 0.02
    assert around.run(lambda: around.reviews.look(24, NOW + 7)).at == NOW + 7
    around.run(lambda: around.reviews.look(1, NOW))
    assert around.asked == [24, 24, 1]


def test_what_takes_long_to_read_is_held_longer() -> None:
    around = Around(seconds=10.0)
    around.run(lambda: around.reviews.look(24, NOW))
    around.at += 10.0 / MOST_OF_TIME - 1.0
    around.run(lambda: around.reviews.look(24, NOW))
    assert len(around.asked) == 1
    around.at += 2.0
    around.run(lambda: around.reviews.look(24, NOW))
    assert len(around.asked) == 2


def test_what_is_decided_meanwhile_is_told_at_once() -> None:
    around = Around()
    assert around.run(lambda: around.reviews.look(24, NOW)).rows[0].decided is None
    around.kept[override_id_of("i1")] = kept = Kept(seq=0, standing=decided())
    assert around.run(lambda: around.reviews.look(24, NOW)).rows[0].decided == kept
    around.kept[override_id_of("i1")] = Kept(seq=0, standing=decided(until_ts=NOW))
    assert around.run(lambda: around.reviews.look(24, NOW)).rows[0].decided is None
    assert around.asked == [24]


def test_a_queue_that_cannot_be_read_is_said_so_and_tried_again() -> None:
    around = Around()
    around.fault = "no broker"
    with pytest.raises(Refused, match="no broker") as refused:
        around.run(lambda: around.reviews.look(24, NOW))
    assert refused.value.status == 503
    around.fault = None
    assert around.run(lambda: around.reviews.look(24, NOW)).rows == (ROW,)


@pytest.mark.parametrize("waits", [False, True])
def test_a_decision_is_answered_by_its_ruling(waits: bool) -> None:
    around = Around()
    around.kept[override_id_of("i1")] = Kept(seq=0, standing=decided(event_id="an older one"))

    def rule(parcel: Parcel, place: str) -> None:
        told = orjson.loads(parcel.value)
        assert parcel.key == told["override_id"].encode()
        made = Override.of({**told, "at": NOW})
        name = told["override_id"]
        if waits:
            around.kept[name] = replace(around.kept[name], waiting=made, needs=1)
        else:
            around.kept[name] = Kept(seq=1, standing=made)

    around.out.on_parcel = rule
    status, answer = around.run(lambda: around.reviews.decide(BAN, NOW, 30.0))
    assert status == 200
    assert (answer["state"], answer["decision"], answer["by"]) == (
        "waits" if waits else "in_force",
        "ban",
        "ann",
    )
    assert answer["until_ts"] == NOW + 86_400_000


def test_where_nobody_rules_it_stands_all_the_same() -> None:
    around = Around()
    status, answer = around.run(lambda: around.reviews.decide(BAN, NOW, 0.0))
    assert (status, len(around.out.parcels)) == (202, 1)
    assert answer["event_id"].startswith("review-")


def test_what_serve_refuses_is_an_answer() -> None:
    around = Around()

    def refuse(parcel: Parcel, place: str) -> None:
        topic, partition, offset = place.split("-")
        letter = DeadLetter(
            reason="overrides_full", detail="withdraw some", topic=topic,
            partition=int(partition), offset=int(offset), raw=b"", ts=1,
        )  # fmt: skip
        around.waiting.refused(dead_letter_value(letter))

    around.out.on_parcel = refuse
    with pytest.raises(Refused, match="withdraw some") as refused:
        around.run(lambda: around.reviews.decide(BAN, NOW, 30.0))
    assert (refused.value.status, refused.value.body["reason"]) == (422, "overrides_full")


def test_what_kafka_did_not_acknowledge_is_none() -> None:
    around = Around()
    around.out.lost = True
    with pytest.raises(Refused) as refused:
        around.run(lambda: around.reviews.decide(BAN, NOW, 30.0))
    assert (refused.value.status, refused.value.body["reason"]) == (503, "not_acknowledged")


@pytest.mark.parametrize(
    "said",
    [replace(BAN, why=""), replace(BAN, by="a" * 300), replace(BAN, decision=Decision.BOOST),
     replace(BAN, boost=1.0),],
)  # fmt: skip
def test_what_no_override_may_say_is_refused_before_kafka_has_it(said: Said) -> None:
    around = Around()
    with pytest.raises(InvalidEventError):
        around.run(lambda: around.reviews.decide(said, NOW, 0.0))
    assert around.out.parcels == []
