"""A second engine on the same topics is told apart and refused by name, on real Kafka."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer

from stream.broker import engines
from stream.broker.engines import agree_on_key, engine_name, first_key, known_name, refuse_second
from stream.broker.topics import ensure_topics
from upwell.client import client_options
from upwell.errors import SettingsError
from upwell.events import Topic
from upwell.settings import KafkaSettings, Settings, StoreSettings, StreamSettings


@pytest.fixture
def on(kafka: str, prefix: str) -> Settings:
    settings = Settings(kafka=KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, 1, client_options(settings.kafka))
    return settings


@contextmanager
def speaking(settings: Settings, engine: str, store: str, leaves: bool = False) -> Iterator[None]:
    """A serve worker of another engine that has spoken, and speaks on unless it `leaves`."""
    said = {"role": "serve", "instance": "serve-0", "engine": engine, "store": store}
    record = orjson.dumps({**said, "leaves": leaves})
    ended = threading.Event()
    producer = KafkaProducer(acks="all", **client_options(settings.kafka))

    def say() -> None:
        producer.send(settings.kafka.prefix + Topic.METRICS, record, partition=0).get(30)

    def speak() -> None:
        while not ended.wait(0.1):
            say()

    say()
    thread = threading.Thread(target=speak)
    if not leaves:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if not leaves:
            thread.join()
        producer.close()


def test_a_folder_is_one_engine_and_a_copy_on_another_machine_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known_name(tmp_path / "a") == ""
    here = engine_name(tmp_path / "a")
    assert known_name(tmp_path / "a") == here
    assert engine_name(tmp_path / "a") == here
    assert engine_name(tmp_path / "b") != here
    monkeypatch.setattr("socket.gethostname", lambda: "élan/2")
    assert engine_name(tmp_path / "a") != here
    assert set(engine_name(tmp_path / "a")) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_the_first_key_is_everybodys_and_another_is_refused_by_name(on: Settings) -> None:
    client, prefix = client_options(on.kafka), on.kafka.prefix
    assert first_key(client, prefix) is None
    agree_on_key(client, prefix, "aaaa", "one")
    agree_on_key(client, prefix, "aaaa", "two")
    with pytest.raises(SettingsError, match=r"another key \(aaaa, of the engine one\).*UPWELL_KEY"):
        agree_on_key(client, prefix, "bbbb", "two")
    assert first_key(client, prefix) == {"key": "aaaa", "engine": "one"}


def test_a_worker_of_the_same_name_is_refused_while_the_other_lives(on: Settings) -> None:
    server = replace(on, store=StoreSettings(kind="server"))
    with (
        speaking(server, "other", "server"),
        pytest.raises(SettingsError, match=r"engine \(other\).* called serve-0 too.*UPWELL_INSTAN"),
    ):
        refuse_second(client_options(on.kafka), server, "own")


def test_another_name_is_enough_with_a_store_for_all_and_not_with_an_embedded_one(
    on: Settings,
) -> None:
    second = replace(on, stream=StreamSettings(instance="serve-1"))
    server = replace(second, store=StoreSettings(kind="server"))
    with speaking(on, "other", "server"):
        refuse_second(client_options(on.kafka), server, "own")
        with pytest.raises(SettingsError, match="keeps users where the other cannot see"):
            refuse_second(client_options(on.kafka), second, "own")
    with (
        speaking(on, "other", "edge"),
        pytest.raises(SettingsError, match="keeps users where the other cannot see"),
    ):
        refuse_second(client_options(on.kafka), server, "own")


def refused(client: dict[str, Any], on: Settings) -> bool:
    try:
        refuse_second(client, on, "own")
    except SettingsError:
        return True
    return False


def test_its_own_predecessor_and_who_has_left_or_died_are_not_in_the_way(
    on: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_options(on.kafka)
    with speaking(on, "own", "edge"):
        assert not refused(client, on)
    with speaking(on, "other", "edge"):
        pass  # died: it says nothing any more
    monkeypatch.setattr(engines, "LISTEN_SECONDS", 1.0)
    assert not refused(client, on)
    with speaking(on, "other", "edge", leaves=True):
        assert not refused(client, on)
