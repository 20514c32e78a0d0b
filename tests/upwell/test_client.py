"""The client of apps on a real broker, with this test as the engine that answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaTimeoutError
from kafka.future import Future

from stream.broker.topics import ensure_topics
from stream.chain.validate import decode
from upwell.client import UpwellClient, client_options, find_broker
from upwell.codec import dead_letter_value, recommendations_value
from upwell.errors import BrokerError, InvalidEventError
from upwell.events import Action, Click, ControlKind, Event, Topic
from upwell.recommendations import DeadLetter, Entry, Recommendations
from upwell.schema import key_of
from upwell.settings import KafkaSettings, Settings

LETTER = DeadLetter(
    reason="empty", detail="nothing", topic="clicks", partition=0, offset=3, raw=b"\xff", ts=1
)
FULL = OSError("disk full")
FIRST, LAST, PARTITIONS = 5.0, 0.5, 4


@pytest.fixture
def settings(kafka: str, prefix: str) -> KafkaSettings:
    found = KafkaSettings(address=kafka, prefix=prefix, partitions=PARTITIONS)
    ensure_topics(prefix, PARTITIONS, client_options(found))
    return found


@pytest.fixture
def client(settings: KafkaSettings) -> Iterator[UpwellClient]:
    with UpwellClient(settings.address or "", settings) as found:
        yield found


def a_list(user_id: str, trigger: str) -> Recommendations:
    return Recommendations(
        list_id=f"l-{trigger}",
        user_id=user_id,
        items=(),
        model_version="1",
        trigger=trigger,
        covers={"clicks-0": 1},
        ts=1,
        latency_ms=2,
    )


def publish(settings: KafkaSettings, topic: Topic, *pairs: tuple[bytes | None, bytes]) -> None:
    producer = KafkaProducer(acks="all", **client_options(settings))
    for key, value in pairs:
        producer.send(settings.prefix + topic, key=key, value=value)
    producer.close()


def arrived(
    settings: KafkaSettings, topic: Topic, count: int
) -> list[tuple[str, Event | DeadLetter]]:
    """The (key, event) pairs of `count` records of a topic."""
    from kafka import KafkaConsumer, TopicPartition

    options: dict[str, Any] = client_options(settings)
    consumer = KafkaConsumer(group_id=None, auto_offset_reset="earliest", **options)
    consumer.assign(
        [TopicPartition(settings.prefix + topic, number) for number in range(PARTITIONS)]
    )
    found: list[tuple[str, Event | DeadLetter]] = []
    while len(found) < count:
        for records in consumer.poll(timeout_ms=200).values():
            found += [
                (
                    one.key.decode(),
                    decode(topic, one.partition, one.offset, one.value, 2_000_000_000_000),
                )
                for one in records
            ]
    consumer.close()
    return found


def test_every_event_arrives_keyed_and_as_it_was_returned(
    client: UpwellClient, settings: KafkaSettings
) -> None:
    sent: dict[Topic, list[tuple[str, Event]]] = {
        Topic.CLICKS: [
            ("ann", client.click("ann", "i1")),
            ("bob", client.click("bob", "i2", "like", dwell_ms=5, event_id="own")),
        ],
        Topic.REVIEWS: [("ann", client.review("ann", "i1", rating=4.0, language="en"))],
        Topic.QUERIES: [("ann", client.query("ann", "space opera"))],
        Topic.ITEMS: [("i1", client.item("i1", "Toy Story", categories=("Comedy",)))],
        Topic.REQUESTS: [("ann", client.request("ann", k=3, exclude=("i9",)))],
        Topic.CONTROLS: [("i1", client.control("ban_item", "op", "broken", item_id="i1"))],
        Topic.KNOWLEDGE: [
            ("i1", client.triple("i1", "series", value="Alien")),
            ("i1", client.triple("i1", "sequel_of", "i0", deleted=True)),
            ("r", client.rule("r", category="Snow", months=(12, 1))),
        ],
    }
    client.flush()
    for topic, pairs in sent.items():
        assert sorted(arrived(settings, topic, len(pairs)), key=str) == sorted(pairs, key=str)
    own = sent[Topic.CLICKS][1][1]
    assert isinstance(own, Click)
    assert (own.event_id, own.action) == ("own", Action.LIKE)


def test_an_impression_carries_the_propensities_of_the_list_that_was_shown(
    client: UpwellClient, settings: KafkaSettings
) -> None:
    entries = (
        Entry(item_id="a", score=2.0, reasons=()),
        Entry(item_id="b", score=1.0, reasons=(), propensity=0.005, explored=True),
    )
    shown = replace(a_list("ann", "t"), items=entries)
    sent = [
        client.impression(shown),
        client.impression(shown, 1, ts=1_700_000_000_000, event_id="own"),
    ]
    client.flush()
    assert sorted(arrived(settings, Topic.IMPRESSIONS, 2), key=str) == sorted(
        (("ann", one) for one in sent), key=str
    )
    assert (sent[0].user_id, sent[0].list_id, sent[0].item_ids, sent[0].propensities) == (
        "ann",
        "l-t",
        ("a", "b"),
        (1.0, 0.005),
    )
    assert (sent[1].event_id, sent[1].ts, sent[1].item_ids, sent[1].propensities) == (
        "own",
        1_700_000_000_000,
        ("a",),
        (1.0,),
    )


def test_what_the_stream_would_refuse_is_refused_at_once(client: UpwellClient) -> None:
    for wrong in (
        lambda: client.review("ann", "i1", rating=11),
        lambda: client.review("ann", "i1"),
        lambda: client.query("ann", " "),
        lambda: client.triple("i1", "series"),
        lambda: client.rule("r"),
        lambda: client.click("", "i1"),
        lambda: client.click("ann", "i1", "clik"),
        lambda: client.click("ann", "i1", ts=1_700_000_000),
        lambda: client.control(ControlKind.BAN_ITEM, "op", "why"),
    ):
        with pytest.raises(InvalidEventError):
            wrong()
    with pytest.raises(TypeError, match="dwell"):
        client.click("ann", "i1", dwell=5)


def test_a_merge_stands_where_the_guest_s_owner_reads_it(client: UpwellClient) -> None:
    asked = client.merge("guest", "ann", "app", "login")
    assert (asked.kind, asked.user_id, asked.from_user) == (ControlKind.MERGE_USER, "ann", "guest")
    assert key_of(asked) == "guest"
    with pytest.raises(InvalidEventError, match="two users"):
        client.merge("ann", "ann", "app", "login")


def test_lists_published_after_the_call_are_not_missed_and_old_ones_come_when_asked_for(
    client: UpwellClient, settings: KafkaSettings
) -> None:
    publish(settings, Topic.RECOMMENDATIONS, (b"ann", recommendations_value(a_list("ann", "old"))))
    fresh, everyone = client.lists("ann", timeout=FIRST), client.lists(timeout=FIRST)
    users = ("bob", "ann", "eve")
    publish(
        settings,
        Topic.RECOMMENDATIONS,
        *((who.encode(), recommendations_value(a_list(who, f"new-{who}"))) for who in users),
    )
    assert next(fresh) == a_list("ann", "new-ann")
    assert {next(everyone).user_id for _ in users} == set(users)
    assert [one.trigger for one in client.lists("ann", timeout=LAST, from_beginning=True)] == [
        "old",
        "new-ann",
    ]


def test_dead_letters_come_with_their_bytes(client: UpwellClient, settings: KafkaSettings) -> None:
    letters = client.dead_letters(timeout=FIRST)
    publish(settings, Topic.DEAD_LETTERS, (b"clicks-0-3", dead_letter_value(LETTER)))
    assert next(letters) == LETTER


def test_a_request_is_answered_by_the_list_it_triggered(
    client: UpwellClient, settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = client.request

    def answered(user_id: str, **more: Any) -> Any:
        asked = ask(user_id, **more)
        lists = (a_list("ann", "another"), a_list("ann", asked.request_id))
        publish(
            settings,
            Topic.RECOMMENDATIONS,
            *((b"ann", recommendations_value(one)) for one in lists),
        )
        return asked

    monkeypatch.setattr(client, "request", answered)
    answer = client.request_list("ann", k=3, timeout=FIRST)
    assert answer.list_id == f"l-{answer.trigger}"
    assert answer.trigger != "another"


def test_a_request_without_an_engine_is_one_clear_line(client: UpwellClient) -> None:
    with pytest.raises(BrokerError, match=r"no list came within 0\.5 s: does a serve worker run"):
        client.request_list("ann", timeout=LAST)


def test_topics_that_are_not_there_are_told(kafka: str) -> None:
    with (
        UpwellClient(kafka, KafkaSettings(prefix="nobody.")) as client,
        pytest.raises(BrokerError, match="upwell run"),
    ):
        client.lists("ann")


def test_an_undelivered_event_is_told_once(
    client: UpwellClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> Future:
        return Future().failure(OSError("disk full"))

    with monkeypatch.context() as patch:
        patch.setattr(KafkaProducer, "send", lost)
        client.click("ann", "i1")
    with pytest.raises(BrokerError, match="disk full"):
        client.click("ann", "i2")
    client.click("ann", "i3")
    with monkeypatch.context() as patch:
        patch.setattr(KafkaProducer, "send", lost)
        client.click("ann", "i4")
    with pytest.raises(BrokerError, match="disk full"):
        client.close()


def test_a_broker_that_sends_its_clients_astray_is_named_at_once_and_wherever_it_shows(
    client: UpwellClient, settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """tests/stream/ops/test_doctor.py has a real broker of such a name; here names are lost while
    the app runs, too.
    """
    lists = client.lists()
    monkeypatch.setattr("upwell.connection._resolves", lambda host: False)
    astray = "127.0.0.1, which does not resolve here: set advertised.listeners"
    assert settings.address is not None
    with pytest.raises(BrokerError, match=astray):
        UpwellClient(settings.address, settings)

    def lost(*_: object, **__: object) -> None:
        raise KafkaTimeoutError("no metadata")

    monkeypatch.setattr(KafkaProducer, "send", lost)
    with pytest.raises(BrokerError, match=astray):
        client.click("ann", "i1")
    monkeypatch.setattr(KafkaConsumer, "poll", lost)
    with pytest.raises(BrokerError, match=astray):
        next(lists)


def test_no_broker_is_one_clear_line_in_bounded_time() -> None:
    soon = KafkaSettings(wait=0.3)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(BrokerError, match=f"no Kafka broker answers at {address}") as caught:
            UpwellClient(address, soon)
    assert "\n" not in str(caught.value)
    for wrong in ("nonsense", "127.0.0.1:port", "127.0.0.1:99999"):
        with pytest.raises(BrokerError, match="no Kafka broker answers"):
            UpwellClient(wrong, soon)


def test_the_broker_is_found_by_the_settings_or_by_its_file(tmp_path: Path) -> None:
    running = Settings(data=tmp_path)
    for content in (None, "", "[]", "{}"):
        if content is not None:
            (tmp_path / "broker.json").write_text(content)
        with pytest.raises(BrokerError, match="upwell run"):
            find_broker(running)
    (tmp_path / "broker.json").write_bytes(orjson.dumps({"address": "127.0.0.1:1", "pid": 1}))
    assert find_broker(running) == "127.0.0.1:1"
    assert find_broker(Settings(kafka=KafkaSettings(address="far:9"), data=tmp_path)) == "far:9"
