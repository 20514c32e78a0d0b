"""The ledger on a real broker: read whole, the newest of each user; and the copies that learn keeps
of it.
"""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from stream.broker.erasures.ledger import FILE, newest, read_file, write_file
from stream.broker.erasures.topic import add_to_ledger, fences_of_ledger, read_ledger
from stream.broker.topics import ensure_topics
from stream.chain.effects import Forgotten
from stream.learn.erase import LEDGER_LOOKS, Unconfirmed, keep_ledger
from upwell.client import client_options
from upwell.errors import SnapshotError
from upwell.settings import KafkaSettings

ANN = Forgotten("a" * 32, 100, "controls-0", 1, 0)
AGAIN = Forgotten("a" * 32, 300, "controls-0", 7, 0)
BOB = Forgotten("b" * 32, 200, "controls-1", 4, 1)


@pytest.fixture
def on(kafka: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(address=kafka, prefix=prefix, partitions=2)


def test_of_each_user_the_newest_entry_stands_and_hides_what_is_older(on: KafkaSettings) -> None:
    client = client_options(on)
    assert read_ledger(client, on.prefix) is None
    ensure_topics(on.prefix, 2, client)
    assert read_ledger(client, on.prefix) == {}
    add_to_ledger(client, on.prefix, [ANN, BOB, AGAIN, ANN])
    assert read_ledger(client, on.prefix) == newest([AGAIN, BOB])
    fences = fences_of_ledger(on)
    assert fences[ANN.user].hides(300)
    assert not fences[ANN.user].hides(301)


def test_copies_follow_and_give_back_what_the_topic_lost(
    on: KafkaSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client, own = client_options(on), tmp_path / FILE
    ensure_topics(on.prefix, 2, client)
    write_file(own, newest([ANN]))  # of before the topic was made anew
    add_to_ledger(client, on.prefix, [BOB])
    owed = [Unconfirmed("controls-1", 4, {})]
    away = tmp_path / "away" / FILE
    away.parent.write_text("a file, no folder")
    with caplog.at_level(logging.WARNING):
        keep_ledger(client, on.prefix, owed, [own, away])
    assert f"must be told of {own}" in caplog.text
    assert read_file(own) == read_ledger(client, on.prefix) == newest([ANN, BOB])
    away.parent.unlink()
    keep_ledger(client, on.prefix, owed, [own, away])
    assert read_file(away) == newest([ANN, BOB])
    own.write_bytes(b"torn")
    with pytest.raises(SnapshotError, match="a torn ledger"):
        keep_ledger(client, on.prefix, owed, [own])


def test_serves_entry_is_waited_for_behind_its_erasure(
    on: KafkaSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client, waited = client_options(on), list[float]()
    ensure_topics(on.prefix, 2, client)

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            add_to_ledger(client, on.prefix, [AGAIN])

    keep_ledger(client, on.prefix, [Unconfirmed("controls-0", 1, {})], [tmp_path / FILE], sleep)
    assert len(waited) == 2
    assert read_file(tmp_path / FILE) == newest([AGAIN])  # of the same user, later
    keep_ledger(client, on.prefix, [Unconfirmed("controls-1", 4, {})], [tmp_path / FILE], sleep)
    assert len(waited) == 2 + LEDGER_LOOKS - 1
    assert "erasures of controls-1 are not in the ledger" in caplog.text
