"""How a worker keeps level: step by step, catalogue and model turn about, as if it had been done at
once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread, Timer
from typing import cast

import pytest

from learner.release.folder import LocalFolder
from learner.release.replica import Replica
from learner.training.learner import Learner
from stream.broker.feeds import Broadcast
from stream.broker.model_records import delta_record
from stream.chain.records import BroadcastRecord
from stream.chain.wire import encode_item
from stream.serve import follow
from stream.serve.follow import FEW_ITEMS, ITEMS_A_STEP, MOST_ITEMS, MOST_MODELS, Follower
from stream.serve.model_reader import ModelReader
from tests.learner.training.small import (
    DIMENSION,
    SETTINGS,
    catalogue,
    learner_of,
    log,
    requests_of,
)
from upwell.values import CatalogueItem

EXAMPLES, STATES = log(400)


class Feed:
    """A broadcast topic whose records are put here."""

    def __init__(self) -> None:
        self.records: deque[BroadcastRecord] = deque()
        self._offset = 0

    def put(self, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        self.records.append(BroadcastRecord(0, self._offset, None, value, dict(headers), 0))
        self._offset += 1

    def drain(self) -> Iterator[BroadcastRecord]:
        while self.records:
            yield self.records.popleft()

    @property
    def waiting(self) -> int:
        return len(self.records)


class Worker:
    """A follower over two feeds, its replica, and how many items each announcement had."""

    def __init__(self) -> None:
        self.catalogue, self.models, self.rules = Feed(), Feed(), Feed()
        self.replica = Replica(SETTINGS, DIMENSION)
        self.known: list[CatalogueItem] = []
        self.announced: list[int] = []
        self.reader = ModelReader(self.replica, LocalFolder(Path("nowhere")))
        self.follower = Follower(
            cast(Broadcast, self.catalogue),
            cast(Broadcast, self.models),
            self.known.extend,
            self._announce,
            self.reader,
            cast(Broadcast, self.rules),
            self.replica.take_rules,
        )

    def _announce(self, items: Sequence[CatalogueItem]) -> None:
        self.announced.append(len(items))
        self.replica.add_items(items)

    def feed_items(self) -> None:
        """The whole catalogue."""
        for item in catalogue():
            self.catalogue.put(encode_item(item))

    def feed_models(self) -> Learner:
        """The examples in two deltas; the learner that made them."""
        teacher = learner_of([])
        for start in range(0, len(EXAMPLES), 200):
            teacher.learn(EXAMPLES[start : start + 200])
            delta = delta_record(teacher.take_delta())
            self.models.put(delta.value, delta.headers)
        return teacher


def test_step_by_step_with_lists_in_between_is_as_good_as_at_once() -> None:
    stepwise, at_once = Worker(), Worker()
    at_once.feed_items()
    at_once.feed_models()
    at_once.follower.level()
    steps = 0
    stepwise.feed_items()
    while stepwise.follower.step():
        stepwise.replica.rank(requests_of(STATES))
    teacher = stepwise.feed_models()
    while stepwise.follower.step():
        stepwise.replica.rank(requests_of(STATES))
        steps += 1
    assert steps > 2 * len(EXAMPLES) / 200
    assert at_once.announced == [len(catalogue())]
    assert stepwise.replica.version == at_once.replica.version == teacher.version
    lists = teacher.rank(requests_of(STATES))
    assert at_once.replica.rank(requests_of(STATES)) == lists
    assert stepwise.replica.rank(requests_of(STATES)) == lists


def test_a_step_is_a_few_items_and_a_catalogue_does_not_keep_the_model_waiting() -> None:
    worker = Worker()
    worker.feed_items()
    worker.feed_models()
    worker.follower.step()
    assert worker.announced == [ITEMS_A_STEP]
    while worker.models.waiting:
        worker.follower.step()
    assert worker.announced == [ITEMS_A_STEP] * 2
    while worker.follower.step():
        pass
    assert max(worker.announced) <= ITEMS_A_STEP
    assert sum(worker.announced) == len(catalogue())


def test_a_list_waits_for_nothing_while_little_waits_and_for_no_more_than_is_too_much() -> None:
    worker = Worker()
    worker.feed_items()
    worker.feed_models()
    worker.follower.catch_up()
    assert worker.announced == []
    item = encode_item(catalogue()[0])
    for _ in range(MOST_ITEMS):
        worker.catalogue.put(item)
    for _ in range(MOST_MODELS):
        worker.models.put(b"{}")
    worker.follower.catch_up()
    assert MOST_ITEMS - ITEMS_A_STEP <= len(worker.known) - sum(worker.announced) <= MOST_ITEMS
    assert worker.models.waiting <= MOST_MODELS


@pytest.fixture
def many_wait(monkeypatch: pytest.MonkeyPatch) -> Worker:
    """More items than few wait; who gives way does so until they do not, or users are away."""
    monkeypatch.setattr(follow, "LIVE_SECONDS", 3_600.0)
    monkeypatch.setattr(follow, "MOST_SECONDS", 3_600.0)
    worker = Worker()
    item = encode_item(catalogue()[0])
    for _ in range(FEW_ITEMS + 3 * ITEMS_A_STEP):
        worker.catalogue.put(item)
    return worker


def test_while_users_wait_announcements_wait_until_lists_have_nearly_all(many_wait: Worker) -> None:
    follower, left = many_wait.follower, list[int]()

    def announce() -> None:
        follower.give_way()
        left.append(follower.untaken)

    follower.catch_up()
    thread = Thread(target=announce)
    thread.start()
    while follower.untaken > FEW_ITEMS:
        assert left == []
        assert follower.step()
    thread.join(60)
    assert left == [FEW_ITEMS]


def test_where_no_user_waits_announcements_do_not(many_wait: Worker) -> None:
    assert not many_wait.follower.live
    many_wait.follower.give_way()
    assert many_wait.follower.untaken > FEW_ITEMS


def test_they_give_way_for_a_while_at_most(
    many_wait: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "MOST_SECONDS", 0.05)
    many_wait.follower.catch_up()
    many_wait.follower.give_way()
    assert many_wait.follower.live
    assert many_wait.follower.untaken > FEW_ITEMS


def test_nothing_new_is_no_step() -> None:
    worker = Worker()
    assert not worker.follower.step()
    worker.catalogue.put(encode_item(catalogue()[0]))
    assert worker.follower.step()
    assert not worker.follower.step()


def test_before_a_batch_every_item_that_was_read_is_known_though_few_are_announced() -> None:
    worker = Worker()
    worker.feed_items()
    worker.follower.step()
    worker.feed_items()
    worker.follower.catch_up()
    assert len(worker.known) == 2 * len(catalogue())
    assert sum(worker.announced) == ITEMS_A_STEP


def test_to_be_level_is_to_have_the_version_that_is_on_its_way() -> None:
    worker = Worker()
    worker.reader.waits = True
    Timer(0.05, setattr, (worker.reader, "waits", False)).start()
    worker.follower.level()
    assert not worker.reader.waits
