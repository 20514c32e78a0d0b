"""Figures by segment of users: by hand, against Fairlearn's, and of no small group."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.testing.figures import RUNNING_HALF_LIFE
from learner.testing.segments import FEWEST, Members, SegmentFigures, gap, quality
from learner.training.learner import Learner
from tests.learner.testing.test_groups import DIMENSION, SETTINGS
from upwell.values import CatalogueItem, Example, Interaction

NAMES = ("women", "men")
BOTH = ("women", "men")
PLENTY = 3 * FEWEST


def example(number: int, segments: tuple[str, ...], user: str | None = None) -> Example:
    return Example(
        source="clicks-0",
        offset=number,
        user=user or f"u{number % PLENTY}-{','.join(segments)}",
        event=Interaction(f"e{number}", number, f"i{number % 20}", "click", None),
        history=(),
        intent=None,
        user_events=number % 9,
        tested=True,
        segments=segments,
    )


def drawn(count: int, seed: int = 2) -> tuple[np.ndarray, list[Example]]:
    random = np.random.default_rng(seed)
    kinds: list[tuple[str, ...]] = [("women",), ("men",), BOTH, ()]
    examples = [example(number, kinds[random.integers(4)]) for number in range(count)]
    return random.integers(1, 30, count).astype(float), examples


def groups_of(one: Example) -> tuple[str, ...]:
    return one.segments or ("other",)


def test_each_group_forgets_by_its_own_targets_however_they_come() -> None:
    ranks, examples = drawn(1_000)
    whole, parts = SegmentFigures(NAMES), SegmentFigures(NAMES)
    whole.record(ranks, examples)
    for start, end in pairwise([*range(0, 1_000, 37), 1_000]):
        parts.record(ranks[start:end], examples[start:end])
    keep = 2.0 ** (-1.0 / RUNNING_HALF_LIFE)
    for name in (*NAMES, "other"):
        own = ranks[[name in groups_of(one) for one in examples]]
        weights = keep ** np.arange(len(own))[::-1]
        for figures in (whole, parts):
            found = figures.report()[name]
            values = weights @ quality(own) / weights.sum()
            assert found["ndcg10"] == pytest.approx(values[0])
            assert found["hr10"] == pytest.approx(values[1])


def test_the_figures_and_the_gap_are_fairlearn_s(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = pytest.importorskip("fairlearn.metrics")
    monkeypatch.setattr("learner.testing.segments.RUNNING_HALF_LIFE", 1e12)  # nothing is forgotten
    ranks, examples = drawn(800)
    figures = SegmentFigures(NAMES)
    figures.record(ranks, examples)
    rows = [(place, name) for place, one in enumerate(examples) for name in groups_of(one)]
    gains = quality(ranks)[[place for place, _ in rows]]
    frame = metrics.MetricFrame(
        metrics={
            "ndcg10": lambda true, said: said[:, 0].mean(),
            "hr10": lambda true, said: said[:, 1].mean(),
        },
        y_true=np.ones(len(rows)),
        y_pred=gains,
        sensitive_features=[name for _, name in rows],
    )
    for by in ("ndcg10", "hr10"):
        for name in (*NAMES, "other"):
            assert figures.report()[name][by] == pytest.approx(frame.by_group[by][name])
        assert figures.gaps()[by] == pytest.approx(frame.difference()[by])


@given(st.lists(st.sampled_from([("women",), ("men",), BOTH, ()]), max_size=60))
def test_groups_that_do_not_overlap_sum_to_all_and_who_is_in_two_counts_in_each(
    kinds: list[tuple[str, ...]],
) -> None:
    examples = [example(number, kind) for number, kind in enumerate(kinds)]
    ranks = np.arange(1, len(kinds) + 1, dtype=float)
    figures = SegmentFigures(NAMES)
    values = quality(ranks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("learner.testing.segments.RUNNING_HALF_LIFE", 1e15)
        figures.record(ranks, examples)
    times = np.array([max(1, len(kind)) for kind in kinds], float)
    sums = figures.arrays()["segment"]
    np.testing.assert_allclose(sums.sum(axis=0), times @ values if len(kinds) else 0.0, atol=1e-9)


def test_a_group_of_few_is_not_told_nor_what_would_tell_it() -> None:
    figures = SegmentFigures(NAMES)
    own = [example(number, ("men",)) for number in range(2 * PLENTY)]
    own += [example(number, (), f"o{number % FEWEST}") for number in range(PLENTY)]
    few = [example(number, ("women",), f"w{number % (FEWEST - 1)}") for number in range(PLENTY)]
    figures.record(np.ones(len(own)), own)
    assert {name for name, one in figures.report().items() if one["hr10"]} == {"men", "other"}
    figures.record(np.full(len(few), 2.0), few)
    nothing = {"ndcg10": None, "hr10": None}
    assert figures.report() == {"women": nothing, "men": {"ndcg10": 1.0, "hr10": 1.0}} | {
        "other": nothing
    }
    assert figures.gaps() == {"ndcg10": None, "hr10": None}
    figures.record(np.ones(1), [example(0, ("women",), "one more")])
    assert all(one["hr10"] == pytest.approx(1.0) for one in figures.report().values())


def test_users_of_long_ago_do_not_count_as_many() -> None:
    members = Members(NAMES)
    for number in range(FEWEST):
        members.meet(f"u{number}", (0,))
    assert members.told()[0]
    for _ in range(int(RUNNING_HALF_LIFE)):
        members.meet("u0", (0,))
    assert not members.told()[0]


def test_who_is_forgotten_makes_a_group_of_just_enough_too_small() -> None:
    figures = SegmentFigures(NAMES)
    examples = [example(number, ("women",), f"u{number}") for number in range(FEWEST)]
    figures.record(np.ones(FEWEST), examples)
    assert figures.report()["women"]["hr10"] == 1.0
    figures.forget("nobody")
    assert figures.report()["women"]["hr10"] == 1.0
    figures.forget("u7")
    assert figures.report()["women"]["hr10"] is None


def test_a_checkpoint_names_nobody_and_is_read_by_name() -> None:
    ranks, examples = drawn(600)
    figures, turned = SegmentFigures(NAMES), SegmentFigures(NAMES[::-1])
    figures.record(ranks, examples)
    arrays = figures.arrays()
    assert not any(
        one.user.encode() in part.tobytes() for one in examples for part in arrays.values()
    )
    told = figures.report()
    turned.restore(arrays)
    assert all(one["hr10"] is None for one in turned.report().values()), "nobody was met yet"
    turned.members = Members(NAMES[::-1])
    for one in examples:
        turned.members.meet(one.user, turned.members.places(one.segments))
    assert turned.report() == told
    others = SegmentFigures(("women", "young"))
    others.restore(arrays)
    assert others.arrays()["segment"][0].tolist() == arrays["segment"][0].tolist()
    assert not others.arrays()["segment"][1:].any(), "other is other users now"
    figures.restore({})
    assert not figures.arrays()["segment"].any()


def test_without_names_nothing_is_told_or_kept() -> None:
    figures = SegmentFigures()
    figures.record(*drawn(60))
    assert (figures.report(), figures.gaps(), figures.arrays()) == ({}, {}, {})


def test_a_gap_takes_two() -> None:
    assert gap([None, 0.5]) is gap([]) is None
    assert gap([0.25, None, 0.5]) == 0.25


def test_a_learner_tells_segments_and_forgets_who_was_met() -> None:
    settings = SETTINGS.__class__(fused=False, fair_segments="women")
    learner, again = (Learner(settings, DIMENSION, 7) for _ in range(2))
    vectors = np.eye(DIMENSION, dtype=np.float32)
    items = [
        CatalogueItem(
            item_id=f"i{row}", ts=row, title=f"t{row}", vector=vectors[row % 4], revision="r"
        )
        for row in range(20)
    ]
    for one in (learner, again):
        one.add_items(items)
    viewed = replace(example(0, (), "v"), event=Interaction("v", 0, "i1", "view"))
    liked = [example(number + 1, ("women",), f"u{number}") for number in range(FEWEST)]
    learner.learn([viewed, *liked])
    told = learner.groups.report()["segment"]
    assert told["women"]["hr10"] is not None
    assert told["other"] == {"ndcg10": None, "hr10": None}
    again.restore(learner.arrays(), learner.meta())
    assert again.groups.report()["segment"]["women"]["hr10"] is None
    learner.forget("u3")
    assert learner.groups.report()["segment"]["women"]["hr10"] is None
    assert "segment" not in Learner(SETTINGS, DIMENSION, 7).groups.report()
