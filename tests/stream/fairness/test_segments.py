"""Lists by segment of users: by hand, and of no small group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.testing.segments import FEWEST
from stream.fairness.exposure import HALF_LIFE
from stream.fairness.ranker import REPORT_MS, FairRanker
from stream.fairness.segments import SegmentLists
from stream.metrics.metric import leaves
from stream.metrics.registry import METRICS, UNTOLD
from tests.stream.fairness.test_ranker import figures_in, learner_of, request
from upwell.ports import RankRequest
from upwell.settings import load_settings
from upwell.values import Tag

NAMES = ("women", "men")
KEPT = 2.0 ** (-1.0 / HALF_LIFE)


def test_by_hand_shares_means_and_gaps() -> None:
    lists = SegmentLists(NAMES)
    shown: list[tuple[int, float | None, float]] = []
    for number in range(4 * FEWEST):
        place = number % 2
        far = None if number % 6 == 0 else 0.1 + 0.4 * place
        shown.append((place, far, 0.2 + 0.1 * place))
        lists.add(f"u{number}", [NAMES[place], "unnamed"], far, shown[-1][2])
    fades = KEPT ** np.arange(len(shown))[::-1]
    found = lists.report()
    for place, name in enumerate(NAMES):
        own = np.array([one[0] == place for one in shown])
        assert found[name]["lists"] == pytest.approx((fades * own).sum() / fades.sum())
        assert found[name]["divergence"] == pytest.approx(0.1 + 0.4 * place)
        assert found[name]["tail"] == pytest.approx(0.2 + 0.1 * place)
    assert found["other"] == {"lists": None, "divergence": None, "tail": None}
    assert lists.gaps() == {"divergence": pytest.approx(0.4), "tail": pytest.approx(0.1)}


@given(st.lists(st.sampled_from([(), ("women",), ("men",), NAMES]), max_size=30))
def test_shares_of_lists_sum_to_one_and_one_more_for_each_second_group(
    kinds: list[tuple[str, ...]],
) -> None:
    lists = SegmentLists(NAMES)
    both: tuple[tuple[str, ...], ...] = ((), NAMES)
    for number in range(FEWEST):  # of each group enough
        for one in both:
            lists.add(f"{one}{number}", one, None, 0.5)
    for number, kind in enumerate(kinds):
        lists.add(f"{kind}{number % FEWEST}", kind, None, 0.5)
    every = [kind for _ in range(FEWEST) for kind in both] + kinds
    fades = KEPT ** np.arange(len(every))[::-1]
    twice = fades @ [kind == NAMES for kind in every] / fades.sum()
    shares = [one["lists"] or 0.0 for one in lists.report().values()]
    assert sum(shares) == pytest.approx(1.0 + twice)


def test_a_group_of_few_is_not_told_and_who_is_forgotten_makes_it_one() -> None:
    lists = SegmentLists(("women",))
    for number in range(FEWEST):
        lists.add(f"u{number}", ["women"], 0.5, 0.25)
    assert lists.report()["women"] == {"lists": 1.0, "divergence": 0.5, "tail": 0.25}
    lists.members.forget("u3")
    assert lists.report()["women"] == {"lists": None, "divergence": None, "tail": None}


def test_without_names_nothing_is_told() -> None:
    lists = SegmentLists(())
    lists.add("u", ["women"], 0.5, 0.25)
    assert (lists.report(), lists.gaps()) == ({}, {})


def tagged(number: int) -> RankRequest:
    asked = request(number)
    tags = {"women": Tag(1, "e", number % 2 == 0), "secret": Tag(1, "e", True)}
    return replace(asked, state=replace(asked.state, user=f"u{number}", tags=tags))


def test_a_worker_s_record_tells_of_named_segments_until_too_many_are_forgotten() -> None:
    fair = FairRanker.of(load_settings({"UPWELL_FAIR_SEGMENTS": "women"}), learner_of())
    forgotten: list[str] = []
    forget = fair.forgetting(forgotten.extend)
    fair.rank([tagged(number) for number in range(2 * FEWEST)])
    fair.published(REPORT_MS)
    record = orjson.loads(orjson.dumps({"fairness": fair.record}))
    known = [one.path for one in METRICS] + list(UNTOLD)
    assert sum(len(list(leaves(record, path))) for path in known) == figures_in(record)
    found = fair.report()
    assert found["segments"].keys() == {"women", "other"}
    assert found["segments"]["women"]["lists"] == pytest.approx(0.5, abs=0.01)
    both = [one["tail"] for one in found["segments"].values()]
    assert min(both) <= found["groups"]["popularity"]["tail"]["exposure"] <= max(both)
    assert found["gaps"]["tail"] == pytest.approx(max(both) - min(both))
    forget({"u2": 5})
    assert forgotten == ["u2"]
    assert {one["lists"] for one in fair.report()["segments"].values()} == {None}
