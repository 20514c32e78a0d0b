"""A running engine seen from outside: waiting that keeps it alive and comes to an end, the newest
figures of each role, and when all that was sent has been taken in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaProducer, TopicPartition

from stream.broker.lag import Lag
from stream.broker.topics import ensure_topics
from stream.ops.cluster import Cluster, Metrics, settled
from stream.ops.supervise import Supervisor
from tests.e2e.engine import wait_until
from upwell.errors import UpwellError
from upwell.events import Topic
from upwell.settings import KafkaSettings, Settings

POSITIONS = st.dictionaries(st.integers(0, 3), st.integers(0, 5), max_size=4)


class Alive:
    """A supervisor whose processes stay alive so many looks."""

    def __init__(self, looks: int = 1_000) -> None:
        self.left = looks

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise UpwellError("serve fell again and again")


class Ends:
    """A broker on which so much waits, and where `examples` ends."""

    def __init__(self, behind: int, ends: dict[int, int]) -> None:
        self._behind, self._ends = behind, ends

    def behind(self) -> int:
        return self._behind

    def ends(self, topics: Sequence[Topic]) -> dict[TopicPartition, int]:
        assert list(topics) == [Topic.EXAMPLES]
        return {TopicPartition("t.examples", number): end for number, end in self._ends.items()}


class Figures:
    """What learn has said of itself."""

    def __init__(self, positions: dict[int, int] | None) -> None:
        self._positions = positions

    def newest(self, role: str) -> dict[str, object]:
        assert role == "learn"
        if self._positions is None:
            return {}
        return {"positions": {str(number): place for number, place in self._positions.items()}}


def cluster(supervisor: Alive) -> Cluster:
    return Cluster(Settings(), cast(Supervisor, supervisor), own_broker=False)


def is_settled(behind: int, ends: dict[int, int], positions: dict[int, int] | None) -> bool:
    return settled(cast(Lag, Ends(behind, ends)), cast(Metrics, Figures(positions)))


def test_waiting_keeps_both_alive_and_ticks_until_it_holds() -> None:
    supervisor, ticks = Alive(), list[int]()
    cluster(supervisor).wait(lambda: len(ticks) == 3, 600, "ticks", lambda: ticks.append(1))
    assert (len(ticks), supervisor.left) == (3, 997)


def test_waiting_ends_with_what_was_waited_for_and_where_to_look() -> None:
    with pytest.raises(UpwellError, match=r"waited 0 s for a list.*logs of serve and learn"):
        cluster(Alive()).wait(lambda: False, 0, "a list")


def test_waiting_ends_where_a_process_cannot_be_kept_alive() -> None:
    with pytest.raises(UpwellError, match="serve fell"):
        cluster(Alive(looks=2)).wait(lambda: False, 600, "a list")


@given(POSITIONS, st.none() | POSITIONS, st.integers(0, 2))
def test_settled_is_nothing_behind_and_every_example_learned(
    ends: dict[int, int], positions: dict[int, int] | None, behind: int
) -> None:
    learned = all((positions or {}).get(number, 0) >= end for number, end in ends.items())
    assert is_settled(behind, ends, positions) == (behind == 0 and learned)


@pytest.fixture
def metrics(kafka: str, prefix: str) -> Iterator[Metrics]:
    """Of an engine that said something before anybody listened."""
    ensure_topics(prefix, 1, {"bootstrap_servers": [kafka]})
    say(kafka, prefix, {"role": "serve", "lists": -1})
    found = Metrics(Settings(kafka=KafkaSettings(address=kafka, prefix=prefix)))
    found.start()
    yield found
    found.stop()


def say(kafka: str, prefix: str, *figures: dict[str, object]) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
    for one in figures:
        said = {"instance": one["role"], "at": 1, **one}
        producer.send(prefix + Topic.METRICS, value=json.dumps(said).encode())
    producer.close()


def test_the_newest_figures_of_each_role_from_the_start_on(
    kafka: str, prefix: str, metrics: Metrics
) -> None:
    assert (metrics.newest("serve"), metrics.ready()) == ({}, False)
    say(kafka, prefix, *({"role": "serve", "lists": number} for number in range(3)))
    wait_until(lambda: metrics.newest("serve").get("lists") == 2, "the figures of serve")
    assert not metrics.ready()
    say(kafka, prefix, {"role": "learn", "learned": 7})
    wait_until(metrics.ready, "both roles")
    assert metrics.newest("learn")["learned"] == 7
    assert metrics.newest("serve")["lists"] == 2
