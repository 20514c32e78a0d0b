"""The fewest events without which an item is gone, held to a search through all sets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.fused.intent import Intent, event_weight, fold
from stream.explain.counterfactual import Smallest, without
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.values import Interaction, UserState, Vector

HALF_LIFE_MS = 1_000.0
KINDS = ("click", "like", "dislike", "review", "query", "view")


def history(count: int) -> tuple[Interaction, ...]:
    return tuple(Interaction(f"e{n}", n, f"i{n}", "click") for n in range(count))


def rank_by(sets: Sequence[Collection[int]], always: float) -> object:
    """Of two places: `x` has one for each set of which an event is left, and is gone without any;
    `always` besides.
    """

    def rank(requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        lists = []
        for request in requests:
            left = {one.ts for one in request.state.history}
            score = always + sum(any(one in left for one in some) for some in sets)
            other = Entry(item_id="y", score=0.5, reasons=())
            found = [Entry(item_id="x", score=float(score), reasons=())] if score >= 1 else []
            lists.append((*found, other))
        return lists

    return rank


@given(
    st.lists(st.sets(st.integers(0, 5), min_size=1), max_size=3), st.booleans(), st.integers(1, 6)
)
def test_it_is_a_smallest_set(sets: list[set[int]], stays: bool, events: int) -> None:
    some = history(events)
    rank = rank_by(sets, 1.0 if stays else 0.0)
    state = UserState("u", np.zeros(2, np.float32), history=some)
    request = RankRequest(state=state, k=2)

    def change(gone: Collection[str]) -> RankRequest:
        return without(request, gone, lambda item: None, HALF_LIFE_MS)

    def has(gone: Collection[str]) -> bool:
        [entries] = rank([change(gone)])  # type: ignore[operator]
        return any(one.item_id == "x" for one in entries)

    if not has(()):
        return
    found = Smallest(rank, change, some, 1_000).of("x")  # type: ignore[arg-type]
    names = [one.event_id for one in some]
    if has(names):
        assert (found.stays, found.events) == (True, ())
        return
    gone = [one.event_id for one in found.events]
    assert not has(gone)
    smallest = next(
        size for size in range(1, events + 1) if any(not has(c) for c in combinations(names, size))
    )
    if found.smallest:
        assert len(gone) == smallest
    else:
        assert smallest >= found.all_up_to
        assert all(has([one for one in gone if one != name]) for name in gone)
    if smallest <= 3:
        assert found.smallest


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.integers(0, 5_000), st.integers(0, 3)), max_size=8
    ),
    st.data(),
)
def test_the_intent_is_that_of_the_events_that_are_left(
    drawn: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    vectors = np.eye(4, dtype=np.float32)

    def vector(item: str) -> Vector:
        found: Vector = vectors[int(item[1:])]
        return found

    some = tuple(
        Interaction(f"e{n}", ts, None if kind == "query" else f"i{item}", kind)
        for n, (kind, ts, item) in enumerate(drawn)
    )
    gone = data.draw(st.sets(st.sampled_from([one.event_id for one in some]))) if some else set()

    def folded(events: Sequence[Interaction]) -> Intent:
        intent = Intent(np.zeros(4, np.float32), 0)
        for one in events:
            if one.item_id is not None:
                weight = event_weight(one.kind, one.rating)
                intent = fold(intent, vector(one.item_id), weight, one.ts, HALF_LIFE_MS)
        return intent

    whole = folded(some)
    had = tuple(dict.fromkeys(one.item_id for one in some if one.item_id))
    state = UserState("u", whole.vector, whole.ts, some, had, events=len(some))
    changed = without(RankRequest(state=state, k=3), gone, vector, HALF_LIFE_MS).state
    left = [one for one in some if one.event_id not in gone]
    assert list(changed.history) == left
    assert set(changed.had) == {one.item_id for one in left if one.item_id}
    assert changed.events == len(left)
    expected = folded(left)
    faded = expected.vector * np.float32(2.0 ** ((expected.ts - whole.ts) / HALF_LIFE_MS))
    np.testing.assert_allclose(changed.intent, faded, atol=1e-4)


def test_the_newest_words_go_with_their_event() -> None:
    some = (Interaction("q0", 1, None, "query"), Interaction("q1", 2, None, "query"))
    words = np.array([0.0, 1.0], np.float32)
    intent = fold(Intent(np.array([1.0, 0.0], np.float32), 1), words, 1.0, 2, HALF_LIFE_MS)
    request = RankRequest(state=UserState("u", intent.vector, 2, some), k=3, words="a storm")

    def asked(gone: str) -> RankRequest:
        return without(request, {gone}, lambda item: None, HALF_LIFE_MS, lambda said: words)

    assert asked("q0").words == "a storm"
    np.testing.assert_array_equal(asked("q0").state.intent, intent.vector)
    assert asked("q1").words is None
    assert abs(asked("q1").state.intent[1]) < 1e-6
