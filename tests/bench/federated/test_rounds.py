"""The bench's own parts: who has which events, and figures of several clients as one."""

from __future__ import annotations

import argparse

import pytest

from bench.federated.processes import forked
from bench.federated.rounds import pooled, scenarios, split
from bench.prequential import Log
from stream.replay.log import LogRecord
from upwell.events import Topic


def test_a_users_events_are_one_clients_in_their_order() -> None:
    keys = [b"a", b"b", b"c", b"a", b"b", b"d", b"a"]
    log = Log([], [LogRecord(line, Topic.REVIEWS, key, b"{}") for line, key in enumerate(keys)])
    parts = split(log, 2)
    assert [[one.line for one in part] for part in parts] == [[0, 2, 3, 6], [1, 4, 5]]


def test_a_seed_draws_who_is_whose_and_loses_nothing() -> None:
    keys = [b"%d" % (line % 40) for line in range(120)]
    log = Log([], [LogRecord(line, Topic.REVIEWS, key, b"{}") for line, key in enumerate(keys)])
    drawn = [split(log, 8, seed) for seed in (0, 8, 9)]
    assert split(log, 8, 8) == drawn[1]
    assert drawn[0] != drawn[1] != drawn[2]
    for parts in drawn:
        assert sorted(one.line for part in parts for one in part) == list(range(120))
        assert all(len({one.key for one in part}) == 5 for part in parts)


def told(targets: int, value: float | None) -> dict[str, dict[str, object]]:
    names = ("all", "cold_user", "cold_item", "warm")
    return {"targets": dict.fromkeys(names, targets), "ndcg10": dict.fromkeys(names, value)}


def test_figures_weigh_by_targets_and_leave_out_who_died() -> None:
    assert pooled([told(1, 0.5), None, told(3, 0.1), told(0, None)])["all"] == pytest.approx(0.2)
    assert pooled([None])["warm"] is None


def test_processes_come_back_with_what_they_found() -> None:
    assert forked([lambda: 1, lambda: "two"], 60.0) == [1, "two"]


def test_scenarios_by_name() -> None:
    asked = argparse.Namespace(clip=1.0, noise=2.8, rounds=4, deadline=9.0, only=[])
    names = [one.name for one in scenarios(asked)]
    assert "mean, noise of ε = 7.9" in names
    assert len(set(names)) == len(names) == 11
    asked.only = ["Krum"]
    assert [one.aggregate for one in scenarios(asked)] == ["krum"]
