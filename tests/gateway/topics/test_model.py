"""The gateway's replica, on a real broker: what the learner published is what it ranks by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kafka import KafkaProducer

from gateway.edge.refusals import Refused
from gateway.topics.model import ModelFollower
from stream.broker.model_records import delta_record
from stream.broker.topics import ensure_topics
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override
from stream.chain.overrides.record import encode_kept
from stream.chain.wire import encode_item
from tests.gateway.served import wait_until
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, learner_of, log
from tests.stream.chain.overrides.test_override import BASE
from upwell.events import Topic
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.settings import KafkaSettings, Settings
from upwell.values import CatalogueItem, UserState

EXAMPLES, _ = log(200)
ITEMS = [replace(item, ts=1_000 + place) for place, item in enumerate(catalogue())]


class Published:
    """What serve and learn would have on the topics."""

    def __init__(self, kafka: str, prefix: str, folder: Path) -> None:
        self.settings = Settings(
            kafka=KafkaSettings(address=kafka, prefix=prefix), learner=SETTINGS, data=folder
        )
        self._prefix = prefix
        ensure_topics(prefix, self.settings.kafka.partitions, {"bootstrap_servers": kafka})
        self._producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
        self.learner = learner_of([])

    def items(self, items: Sequence[CatalogueItem]) -> None:
        for item in items:
            self._producer.send(
                self._prefix + Topic.CATALOGUE,
                key=item.item_id.encode(),
                value=encode_item(item),
                partition=0,
            )
        self._producer.flush()

    def learned(self, count: int) -> None:
        self.learner.learn(EXAMPLES[:count])
        record = delta_record(self.learner.take_delta())
        self._producer.send(
            self._prefix + Topic.MODELS,
            value=record.value,
            partition=0,
            headers=list(record.headers),
        )
        self._producer.flush()

    def override(self, override_id: str, one: Override | None) -> None:
        """It stands from now on; None: it is taken back."""
        value = None if one is None else encode_kept(Kept(seq=0, standing=one))
        topic, key = self._prefix + Topic.OVERRIDES, override_id.encode()
        self._producer.send(topic, key=key, value=value, partition=0)
        self._producer.flush()

    def close(self) -> None:
        self._producer.close()


@pytest.fixture
def published(kafka: str, prefix: str, tmp_path: Path) -> Iterator[Published]:
    one = Published(kafka, prefix, tmp_path)
    one.items(ITEMS)
    yield one
    one.close()


@pytest.fixture
def model(published: Published) -> Iterator[ModelFollower]:
    failures: list[BaseException] = []
    one = ModelFollower(published.settings, DIMENSION, failures.append)
    published.learned(100)
    one.start()
    yield one
    one.stop()
    assert failures == []


def ids(entries: Sequence[Entry]) -> list[str]:
    return [entry.item_id for entry in entries]


def test_it_shows_nobody_in_particular_what_the_learner_would(
    published: Published, model: ModelFollower
) -> None:
    nobody = UserState(user="", intent=np.zeros(DIMENSION, np.float32))
    [own] = published.learner.rank([RankRequest(state=nobody, k=7)])
    found = model.popular(7, None)
    assert found.items == own
    assert found.model_version == published.learner.version
    assert {int(one[1:]) % 2 for one in ids(model.popular(50, "odd").items)} == {1}


def test_it_follows(published: Published, model: ModelFollower) -> None:
    before = model.popular(1, None).model_version
    published.learned(200)
    assert before != published.learner.version
    wait_until(
        lambda: model.popular(1, None).model_version == published.learner.version, "the delta"
    )


def test_the_newest_are_those_with_the_latest_time(
    published: Published, model: ModelFollower
) -> None:
    assert ids(model.newest(3, None).items) == ["i119", "i118", "i117"]
    assert ids(model.newest(2, "even").items) == ["i118", "i116"]
    assert model.newest(2, "no such").items == ()
    published.items([replace(ITEMS[5], ts=5_000), replace(ITEMS[119], banned=True)])
    wait_until(lambda: ids(model.newest(2, None).items) == ["i5", "i118"], "the changes")


def test_likeness_has_its_reasons(model: ModelFollower) -> None:
    signals = set()
    for number in range(10):
        entries = model.similar(f"i{number}", 20).items
        assert len(entries) == 20
        for entry in entries:
            assert entry.score == pytest.approx(sum(reason.weight for reason in entry.reasons))
            assert {reason.because for reason in entry.reasons} == {f"Title {number}"}
            signals |= {reason.signal for reason in entry.reasons}
    assert signals == {"covisitation", "text_similarity"}


@pytest.mark.parametrize("item_id", ["nobody said so", ""])
def test_what_nobody_announced_is_like_nothing(model: ModelFollower, item_id: str) -> None:
    with pytest.raises(Refused, match="404 unknown_item"):
        model.similar(item_id, 3)


def test_what_operators_said_of_items_is_held_until_it_is_cleared(
    published: Published, model: ModelFollower
) -> None:
    assert model.governed() == []
    published.items([replace(ITEMS[7], boost=2.0), replace(ITEMS[3], banned=True)])
    wait_until(
        lambda: (
            [(one.item_id, one.banned, one.boost) for one in model.governed()]
            == [("i3", True, 0.0), ("i7", False, 2.0)]
        ),
        "the words",
    )
    found = model.item("i3")
    assert found is not None
    assert found.banned
    assert model.item("nobody said so") is None
    published.items([ITEMS[7]])
    wait_until(lambda: [one.item_id for one in model.governed()] == ["i3"], "the clearing")


def test_what_is_banned_for_everyone_is_shown_to_nobody_and_what_is_for_some_is(
    published: Published, model: ModelFollower
) -> None:
    first, second = ids(model.popular(2, None).items)
    published.override("all", replace(BASE, item_id=first))
    published.override("one", replace(BASE, item_id=second, user="somebody"))
    published.override("words", replace(BASE, item_id="i9", query="title 9"))
    published.override("new", replace(BASE, item_id="i119"))
    published.override("like", replace(BASE, item_id="i2"))
    wait_until(lambda: first not in ids(model.popular(50, None).items), "the ban")
    wait_until(lambda: "i2" not in ids(model.similar("i1", 100).items), "the last ban")
    assert ids(model.popular(1, None).items) == [second]
    assert ids(model.newest(1, None).items) == ["i118"]
    assert "i9" not in ids(model.search("Title 9", 10).items)
    assert "i9" in ids(model.newest(120, None).items)
    published.override("all", None)
    wait_until(lambda: ids(model.popular(1, None).items) == [first], "its end")


def test_what_it_says_of_itself(published: Published, model: ModelFollower) -> None:
    before = model.report()
    assert before["items"] == len(ITEMS)
    assert before["model_examples"] == 100
    assert before["model_at"] is not None
    published.learned(200)
    learned = published.learner.learned
    assert learned > 100
    wait_until(lambda: model.report()["model_examples"] == learned, "the delta")
    assert model.version == published.learner.version
    after = model.report()["model_at"]
    assert after is not None
    assert after >= before["model_at"]
