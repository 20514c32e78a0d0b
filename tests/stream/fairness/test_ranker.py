"""Lists that are watched and held, by a learner of a small world; and what operators decided goes
before any bound.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learner.training.learner import Learner
from stream.fairness import ranker as module
from stream.fairness.bound import MOST
from stream.fairness.ranker import PROMOTED_MS, REPORT_MS, FairRanker
from stream.metrics.metric import leaves
from stream.metrics.registry import METRICS, UNTOLD
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.settings import Bound, LearnerSettings
from upwell.values import CatalogueItem, Example, Interaction, UserState

ITEMS, DIMENSION = 40, 8
SETTINGS = LearnerSettings(fused=False, explore=0.0)
RARE = Bound("category", "rare", 0.3)
LIKED, SELDOM = "c0", "rare"


def catalogue(**of: dict[str, object]) -> list[CatalogueItem]:
    """The last ten are rare. of: what is otherwise, by item."""
    vectors = np.random.default_rng(3).normal(size=(ITEMS, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        replace(
            CatalogueItem(
                item_id=f"i{row}",
                ts=row,
                title=f"t{row}",
                vector=vectors[row],
                revision="r",
                categories=(SELDOM,) if row >= 30 else (f"c{row % 3}",),
                brand=f"b{row % 4}" if row % 5 else None,
            ),
            **of.get(f"i{row}", {}),  # type: ignore[arg-type]
        )
        for row in range(ITEMS)
    ]


def examples(count: int) -> list[Example]:
    """Everybody takes what is not rare, the first of them most."""
    random = np.random.default_rng(1)
    return [
        Example(
            source="clicks-0",
            offset=number,
            user=f"u{number}",
            event=Interaction(
                f"e{number}", number, f"i{int(30 * random.random() ** 2)}", "click", None
            ),
            history=(),
            intent=None,
            user_events=number % 20,
            tested=True,
        )
        for number in range(count)
    ]


def learner_of(**of: dict[str, object]) -> Learner:
    learner = Learner(SETTINGS, DIMENSION, SETTINGS.seed)
    learner.add_items(catalogue(**of))
    learner.learn(examples(150))
    return learner


def request(number: int = 0, k: int = 10) -> RankRequest:
    random = np.random.default_rng(number)
    liked = [
        Interaction(f"h{number}-{place}", place, f"i{int(30 * random.random())}", "click")
        for place in range(int(random.integers(0, 4)))
    ]
    state = UserState(
        "u",
        np.zeros(DIMENSION, np.float32),
        history=tuple(liked),
        had=tuple({str(one.item_id) for one in liked}),
        events=len(liked),
    )
    return RankRequest(state=state, k=k)


def serve(fair: FairRanker, lists: int, k: int = 10) -> list[tuple[Entry, ...]]:
    """In batches of four."""
    made: list[tuple[Entry, ...]] = []
    for start in range(0, lists, 4):
        made += fair.rank([request(start + more, k) for more in range(4)])
        fair.published()
    return made


def share_of_rare(lists: list[tuple[Entry, ...]]) -> float:
    shown = total = 0.0
    for entries in lists:
        for place, entry in enumerate(entries):
            weight = 1.0 / math.log2(2 + place)
            total += weight
            shown += weight * (int(entry.item_id[1:]) >= 30)
    return shown / total


def test_without_bounds_lists_are_what_they_were_to_the_bit() -> None:
    learner = learner_of()
    asked = [request(number) for number in range(20)]
    plain = learner.rank(asked)
    fair = FairRanker(learner)
    assert serve(fair, 40)
    assert fair.rank(asked) == plain
    met = FairRanker(learner, [Bound("category", LIKED, 0.05)])
    serve(met, 40)
    assert met.rank(asked) == plain
    assert met.held[0].term == 0.0
    assert met.held[0].share > 0.05


def test_a_bound_is_held_and_no_list_is_shorter() -> None:
    learner = learner_of()
    assert share_of_rare(serve(FairRanker(learner), 200)) < 0.2
    fair = FairRanker(learner, [RARE])
    lists = serve(fair, 1_200)
    assert share_of_rare(lists[600:]) == pytest.approx(0.3, abs=0.02)
    assert fair.held[0].share == pytest.approx(0.3, abs=0.03)
    assert {len(entries) for entries in lists} == {10}
    assert all(len({entry.item_id for entry in entries}) == 10 for entries in lists)


def test_an_entry_names_the_share_and_shares_sum_to_the_score() -> None:
    fair = FairRanker(learner_of(i31={"boost": 0.25}), [RARE])
    serve(fair, 100)
    term = fair.held[0].term
    assert 0.0 < term <= MOST
    [entries] = fair.rank([request(3, k=ITEMS)])
    for entry in entries:
        found = {one.signal: one.weight for one in entry.reasons}
        assert sum(found.values()) == pytest.approx(entry.score, abs=1e-6)
        if int(entry.item_id[1:]) >= 30:
            assert found["fairness"] == pytest.approx(term)
        else:
            assert "fairness" not in found
    boosted = next(entry for entry in entries if entry.item_id == "i31")
    assert [one.weight for one in boosted.reasons if one.signal == "boost"] == [0.25]


def test_the_term_is_gone_after_each_batch_from_whoever_else_ranks() -> None:
    learner = learner_of()
    plain = learner.rank([request(5)])
    fair = FairRanker(learner, [RARE])
    serve(fair, 100)
    assert learner.rank([request(5)]) == plain
    assert fair.rank([request(5)]) != plain


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    banned=st.sets(st.integers(0, ITEMS - 1), max_size=6),
    pinned=st.sets(st.integers(0, ITEMS - 11), max_size=3),  # else pins alone may hold the bound
    k=st.integers(1, 12),
)
def test_pins_bans_and_lengths_go_before_the_bound(
    banned: set[int], pinned: set[int], k: int
) -> None:
    of: dict[str, dict[str, object]] = {f"i{row}": {"banned": True} for row in banned}
    for row in pinned:
        of[f"i{row}"] = {"pinned": True}
    fair = FairRanker(learner_of(**of), [replace(RARE, least=0.9)])
    serve(fair, 60, k)
    assert fair.held[0].term > 0.0
    asked = [request(number, k) for number in range(8)]
    for one, entries in zip(asked, fair.rank(asked), strict=True):
        ids = [entry.item_id for entry in entries]
        assert len(ids) == len(set(ids)) == k
        assert not set(ids) & {f"i{row}" for row in banned - pinned}
        assert not set(ids) & set(one.state.had)
        first = {f"i{row}" for row in pinned} - set(one.state.had)
        assert set(ids[: len(first)]) == first if k >= len(first) else set(ids) <= first


def test_one_batch_has_one_term_and_a_batch_that_is_made_again_counts_once() -> None:
    fair = FairRanker(learner_of(), [RARE])
    serve(fair, 60)
    asked = [request(number) for number in range(4)]
    held = fair.held
    once, again = fair.rank(asked), fair.rank(asked)
    assert once == again
    assert fair.held == held, "nothing counts before it is published"
    fair.published()
    after = fair.held
    fair.published()
    assert fair.held == after != held


def test_a_group_that_nobody_is_in_gets_no_term() -> None:
    fair = FairRanker(learner_of(), [Bound("category", "nobody", 0.5)])
    serve(fair, 40)
    assert fair.held[0].term == 0.0


def test_an_item_that_joins_the_group_later_is_held_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFRESH", 16)
    learner = learner_of()
    fair = FairRanker(learner, [Bound("category", "late", 0.2)])
    serve(fair, 40)
    late = replace(catalogue()[5], item_id="late", title="late", categories=("late",), ts=99)
    learner.add_items([late])
    lists = serve(fair, 400)
    assert any(entry.item_id == "late" for entries in lists[200:] for entry in entries)


def test_what_was_shown_follows_its_items_to_other_rows() -> None:
    learner = learner_of()
    fair = FairRanker(learner)
    serve(fair, 60)
    before = fair.report()
    arrays, meta = learner.arrays(), learner.meta()
    learner.restore(arrays, meta)
    after = fair.report()
    assert after["groups"]["category"] == before["groups"]["category"]
    assert (after["gini"], after["coverage"]) == (before["gini"], before["coverage"])


def test_the_report_s_shares_are_those_of_the_lists() -> None:
    fair = FairRanker(learner_of())
    lists = serve(fair, 40)
    found = fair.report()
    rare = found["groups"]["category"]["rare"]
    assert found["lists"] == 40
    assert rare["exposure"] == pytest.approx(share_of_rare(lists), abs=0.01)
    assert rare["catalogue"] == 0.25
    assert rare["interactions"] == 0.0
    assert rare["parity"] == pytest.approx(rare["exposure"] / 0.25)
    assert rare["ratio"] is None
    for by in ("popularity", "newness", "category", "brand"):
        for figure in ("exposure", "catalogue", "interactions"):
            parts = [group[figure] for group in found["groups"][by].values()]
            assert sum(parts) == pytest.approx(1.0)
    assert found["groups"]["brand"].keys() == {"b0", "b1", "b2", "b3", "(none)"}
    shown = {entry.item_id for entries in lists for entry in entries}
    assert found["coverage"] == len(shown) / ITEMS
    assert sum(one["lists"] for one in found["users"].values()) == pytest.approx(1.0)
    assert found["bounds"] == {}


def test_the_record_is_json_and_the_registry_tells_all_of_it() -> None:
    fair = FairRanker(learner_of(), [RARE])
    fair.rank([request(1)])
    fair.published(REPORT_MS)
    record = orjson.loads(orjson.dumps({"fairness": fair.record}))
    known = [one.path for one in METRICS] + list(UNTOLD)
    told = sum(len(list(leaves(record, path))) for path in known)
    assert told == figures_in(record)
    assert list(leaves(record, "fairness.bounds.{bound}.least")) == [(("category:rare",), 0.3)]


def figures_in(record: object) -> int:
    """None is nothing to tell."""
    if isinstance(record, dict):
        return sum(figures_in(one) for one in record.values())
    return int(record is not None)


def test_a_record_is_made_at_times_and_after_a_promotion(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = learner_of()
    fair = FairRanker(learner)
    fair.rank([replace(request(1), k=0)])
    fair.published(REPORT_MS)
    assert fair.record == {}, "a list of nothing"

    def at(ms: int) -> object:
        fair.rank([request(1)])
        fair.published(ms)
        return fair.record["at"]

    assert at(REPORT_MS) == REPORT_MS
    assert at(REPORT_MS + 1) == REPORT_MS
    assert at(2 * REPORT_MS) == 2 * REPORT_MS
    assert at(5) == 5, "a clock that went back"
    fair.published(9 * REPORT_MS)
    assert fair.record["at"] == 5, "no list was made"
    learner.learn(examples(200)[150:])
    assert at(6) == 5, "the gate learned, but this one is quite new"
    assert at(5 + PROMOTED_MS) == 5 + PROMOTED_MS
    assert at(6 + PROMOTED_MS) == 5 + PROMOTED_MS
    fair.tell(4 * REPORT_MS)
    assert fair.record["at"] == 4 * REPORT_MS, "the last lists are told too, though none follow"
    fair.tell(9 * REPORT_MS)
    assert fair.record["at"] == 4 * REPORT_MS, "nothing was counted since"
