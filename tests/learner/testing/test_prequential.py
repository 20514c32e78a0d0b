"""Test, then learn: each target's rank is its place before it was learned, of the model and of its
peers, however the log is cut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.counts.block import NEWCOMER_EVENTS
from learner.counts.popularity import COUNT, HALF_LIVES
from learner.ranking.affinity import COVISITATION, FAR, TEXT
from learner.ranking.candidates import COLD_EVENTS
from learner.ranking.gate_parameters import Gate
from learner.ranking.rank import prepare
from learner.ranking.ranking import Ranking
from learner.testing.figures import CUTOFF, PEERS
from learner.testing.prequential import Outcome, count_block, learn_block
from learner.training.prepare import prepared
from tests.learner.training.small import DIMENSION, ITEMS, SETTINGS, catalogue, log
from upwell.values import Example

EXAMPLES = [replace(one, intent=None) for one in log(240)[0]]
NAMES = 1 + len(PEERS)
SIGNALS = {"covisitation": COVISITATION, "transition_10": FAR, "text_similarity": TEXT}
COLUMNS = {"popularity": COUNT} | {
    f"popularity_{half_life:.0f}": column for column, half_life in enumerate(HALF_LIVES[:4])
}


@dataclass
class Run:
    """What was learned of a log, and what the tests gave on the way."""

    ranking: Ranking
    gate: Gate
    outcomes: list[Outcome]

    def column(self, name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(one, name) for one in self.outcomes])

    def counts(self) -> dict[str, NDArray[np.generic]]:
        return self.ranking.counts.arrays(ITEMS)


def run(examples: list[Example], size: int, test: bool = True, spoilt: bool = False) -> Run:
    """`size` examples at a time. spoilt: by weights that are no numbers."""
    made = Run(Ranking(SETTINGS, DIMENSION), Gate(), [])
    made.ranking.announce(catalogue())
    made.gate.grow(ITEMS)
    if spoilt:
        made.gate.state.weights[...] = np.nan
    for start in range(0, len(examples), size):
        some = examples[start : start + size]
        found = prepared(some, made.ranking, None, np.ones(len(some), np.float32))
        state = made.ranking.state()
        if not test:
            count_block(state, found.block, found.targets, ITEMS)
            continue
        made.outcomes.append(Outcome.empty(len(some), NAMES, CUTOFF))
        learn_block(
            *(state, made.gate.state, made.ranking.scratch, made.ranking.catalogue.allowed),
            *(found.block, found.targets, made.outcomes[-1]),
            SETTINGS.cold_item_weight,
            *(SETTINGS.candidates, ITEMS, ITEMS),
        )
    return made


def targets() -> list[int]:
    """Places in the log of what is to be tested."""
    return [
        number
        for number, one in enumerate(EXAMPLES)
        if one.event.liked and one.event.item_id not in one.had
    ]


def place(values: NDArray[np.float64], example: Example) -> float:
    """The event's, from 1, ties at their mean, among what the user did not have."""
    target = int(str(example.event.item_id)[1:])
    others = np.delete(values, sorted({int(had[1:]) for had in example.had}))
    return float((others > values[target]).sum() + 0.5 * ((others == values[target]).sum() + 1))


WHOLE = run(EXAMPLES, len(EXAMPLES))


@pytest.mark.parametrize("size", [1, 7, 100])
def test_however_the_log_is_cut_the_same_is_tested_and_learned(size: int) -> None:
    made = run(EXAMPLES, size)
    for name in Outcome._fields:
        np.testing.assert_array_equal(made.column(name), WHOLE.column(name), err_msg=name)
    np.testing.assert_array_equal(made.gate.state.weights, WHOLE.gate.state.weights)
    for name, array in WHOLE.counts().items():
        np.testing.assert_array_equal(made.counts()[name], array, err_msg=name)


def test_tests_leave_the_counts_as_counting_alone_does() -> None:
    counted = run(EXAMPLES, 50, test=False)
    for name, array in counted.counts().items():
        np.testing.assert_array_equal(WHOLE.counts()[name], array, err_msg=name)


def test_only_what_is_to_be_tested_teaches_the_gate_and_has_a_rank() -> None:
    ranks = WHOLE.column("ranks")
    assert np.flatnonzero(ranks[:, 0]).tolist() == targets()
    assert WHOLE.gate.state.weights.any()
    untested = run([replace(one, tested=False) for one in EXAMPLES], 50)
    assert not untested.column("ranks").any()
    assert not untested.gate.state.weights.any()


def test_peers_are_ranked_by_what_was_counted_before_the_event() -> None:
    assert {*COLUMNS, *SIGNALS} == set(PEERS)
    made = run([], 1)
    found = WHOLE.column("ranks")
    for number, example in enumerate(EXAMPLES):
        state = made.ranking.state()
        if number in set(targets()):
            users = prepared([example], made.ranking, None, np.ones(1, np.float32)).block
            prepare(state, made.ranking.scratch, users, 0)
            rank = partial(place, example=example)
            for peer, column in COLUMNS.items():
                values = state.popularity.values[column, :ITEMS]
                assert found[number, 1 + PEERS.index(peer)] == rank(values)
            for peer, signal in SIGNALS.items():
                values = made.ranking.scratch.affinity[:ITEMS, signal].astype(np.float64)
                assert found[number, 1 + PEERS.index(peer)] == rank(values), peer
        some = prepared([example], made.ranking, None, np.ones(1, np.float32))
        count_block(made.ranking.state(), some.block, some.targets, ITEMS)


def test_the_top_holds_the_target_where_its_rank_says_and_nothing_the_user_had() -> None:
    ranks, top = WHOLE.column("ranks")[:, 0], WHOLE.column("top")
    for number in targets():
        example = EXAMPLES[number]
        shown = [f"i{row}" for row in top[number] if row >= 0]
        assert len(set(shown)) == len(shown) == CUTOFF
        assert not set(shown) & set(example.had)
        if ranks[number] == int(ranks[number]) <= CUTOFF:
            assert example.event.item_id == shown[int(ranks[number]) - 1]
        elif ranks[number] > CUTOFF + 1:
            assert example.event.item_id not in shown


def test_users_and_items_are_cold_by_what_came_before() -> None:
    seen = [0] * ITEMS
    for number, example in enumerate(EXAMPLES):
        item = int(str(example.event.item_id)[1:])
        if number in targets():
            user, cold = WHOLE.column("cold_user")[number], WHOLE.column("cold_item")[number]
            assert user == (example.user_events <= NEWCOMER_EVENTS)
            assert cold == (seen[item] <= COLD_EVENTS)
        seen[item] += 1


def test_a_score_that_is_no_number_is_the_worst_for_its_target() -> None:
    made = run(EXAMPLES, 60, spoilt=True)
    ranks, peers = made.column("ranks"), WHOLE.column("ranks")
    places = ranks[targets(), 0]
    assert places.min() > CUTOFF
    np.testing.assert_array_equal(ranks[:, 1:], peers[:, 1:])
