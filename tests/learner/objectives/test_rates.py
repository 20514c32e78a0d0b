"""Rates by item, through a learner, its deltas and its checkpoints."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.objectives.outcomes import BOUGHT, OPENED, RETURNED
from learner.objectives.rates import HALF_LIFE, ROWS, SUMS, Rates
from learner.ranking.explain import SHARES
from learner.ranking.parameters import prefixed, settle
from learner.release.delta import decode, encode
from learner.release.parts import in_parts
from learner.release.replica import SERVING, Replica
from learner.training.learner import Learner
from tests.learner.training.small import DIMENSION, ITEMS, SETTINGS, catalogue
from upwell.errors import ModelError
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.settings import LearnerSettings
from upwell.values import Example, Interaction, UserState

ON = replace(SETTINGS, objectives="purchase=4, dwell=1, return=1")
T0 = 1_700_000_000_000


def shop(count: int, seed: int = 4, users: int = 20) -> tuple[list[Example], dict[str, UserState]]:
    """Clicks, half of those on items of an even number followed by a purchase, a few of the others;
    users come back after hours or days.
    """
    rng = np.random.default_rng(seed)
    vectors = [item.vector for item in catalogue()]
    past: dict[str, list[Interaction]] = defaultdict(list)
    examples: list[Example] = []
    ts = T0

    def add(user: str, item: int, kind: str) -> None:
        number, before = len(examples), past[user]
        event = Interaction(f"e{number}", ts, f"i{item}", kind, source="clicks-0", offset=number)
        examples.append(
            Example(
                source="clicks-0",
                offset=number,
                user=user,
                event=event,
                history=tuple(before[-50:]),
                intent=vectors[item] if before else None,
                user_events=len(before),
                tested=True,
                had=tuple(dict.fromkeys(str(one.item_id) for one in before)),
            )
        )
        before.append(event)

    while len(examples) < count:
        user, item = f"u{rng.integers(users)}", int(ITEMS * rng.random() ** 2)
        ts += int(rng.integers(1_000, 900_000))
        add(user, item, "click")
        if rng.random() < (0.5 if item % 2 == 0 else 0.05):
            ts += 5_000
            add(user, item, "purchase")
    states = {
        user: UserState(
            user=user,
            intent=vectors[len(before)],
            history=tuple(before),
            had=tuple(dict.fromkeys(str(one.item_id) for one in before)),
            events=len(before),
        )
        for user, before in past.items()
    }
    return examples, states


EXAMPLES, STATES = shop(500)


def requests() -> list[RankRequest]:
    return [RankRequest(state=STATES[user], k=10) for user in sorted(STATES)]


def learner_of(examples: list[Example], settings: LearnerSettings = ON, size: int = 64) -> Learner:
    learner = Learner(settings, DIMENSION, 7)
    learner.add_items(catalogue())
    for start in range(0, len(examples), size):
        learner.learn(examples[start : start + size])
    return learner


def sums_of(model: Learner | Replica) -> NDArray[np.float64]:
    found = model.ranking.rates.arrays(len(model.ranking.catalogue))
    return found[SUMS] if found else np.zeros((0, 6))


def replica_of(learner: Learner, settings: LearnerSettings = ON) -> Replica:
    replica = Replica(settings, DIMENSION)
    replica.add_items(catalogue())
    settle(replica.apply(decode(encode(learner.take_delta()))))
    return replica


def checkpoint(learner: Learner) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    arrays = learner.arrays() | prefixed(SERVING, learner.parameters.whole())
    return arrays, json.loads(json.dumps(learner.meta()))


def shares(entry: Entry) -> dict[str, float]:
    return {reason.signal: reason.weight for reason in entry.reasons}


def test_what_is_counted_is_the_same_whatever_came_together() -> None:
    whole = sums_of(learner_of(EXAMPLES))
    for size in (1, 7, 500):
        np.testing.assert_array_equal(sums_of(learner_of(EXAMPLES, size=size)), whole)
    again = learner_of(EXAMPLES)
    again.learn(EXAMPLES)  # delivered again: at or below the watermark
    np.testing.assert_array_equal(sums_of(again), whole)
    assert whole[:, BOUGHT].sum() > 50.0
    assert (whole[:, BOUGHT] <= whole[:, OPENED] + 1e-9).all()


def test_a_prefix_knows_nothing_of_what_comes() -> None:
    prefix, rest = learner_of(EXAMPLES[:300]), learner_of(EXAMPLES[:300])
    rest.learn(EXAMPLES[300:])
    assert not np.array_equal(sums_of(rest), sums_of(prefix))
    prefix.learn(EXAMPLES[300:])
    np.testing.assert_array_equal(sums_of(rest), sums_of(prefix))


def test_off_nothing_is_counted_kept_or_sent() -> None:
    plain = learner_of(EXAMPLES, SETTINGS)
    assert not any(name.startswith("objectives.") for name in plain.arrays())
    assert not any(name.startswith("objectives.") for name in plain.take_delta().arrays)
    before = plain.rank(requests())
    assert replica_of(learner_of(EXAMPLES), SETTINGS).rank(requests()) == before
    assert all(
        not {"purchase", "dwell", "return"} & shares(e).keys() for one in before for e in one
    )


def test_lists_move_towards_what_is_bought_and_say_so() -> None:
    plain, moved = (learner_of(EXAMPLES, one).rank(requests()) for one in (SETTINGS, ON))

    def even(lists: list[tuple[Entry, ...]]) -> float:
        found = [int(entry.item_id[1:]) % 2 == 0 for one in lists for entry in one]
        return float(np.mean(found))

    assert even(moved) > even(plain) + 0.1
    told = [shares(entry) for one in moved for entry in one]
    assert sum("purchase" in one for one in told) > len(told) / 2
    for one in moved:
        for entry in one:
            total = sum(reason.weight for reason in entry.reasons)
            assert entry.score == pytest.approx(total, abs=1e-9)
        scores = [entry.score for entry in one]
        assert scores == sorted(scores, reverse=True)


def test_pins_stand_first_and_lots_keep_their_exact_chances() -> None:
    explore = 0.4
    learner = learner_of(EXAMPLES, replace(ON, explore=explore))
    pinned = replace(catalogue()[ITEMS - 1], pinned=True)
    boosted = replace(catalogue()[ITEMS - 2], boost=50.0)
    learner.add_items([pinned, boosted])
    state = STATES["u1"]
    found = learner.rank([RankRequest(state=state, k=5, lot=f"lot {one}") for one in range(300)])
    drawn = {one[-1].item_id for one in found if one[-1].explored}
    assert len(drawn) > 1
    for one in found:
        assert [entry.item_id for entry in one[:2]] == [pinned.item_id, boosted.item_id]
        assert shares(one[1])["boost"] == 50.0
        assert [entry.propensity for entry in one[:-1]] == [1.0] * 4
        last = explore / len(drawn) if one[-1].explored else 1.0 - explore
        assert one[-1].propensity == pytest.approx(last)


def test_before_anything_followed_lists_are_as_without_it() -> None:
    clicks = [one for one in EXAMPLES if one.event.kind == "click"]
    alone = [replace(one, history=(), had=()) for one in clicks]
    found = learner_of(alone).rank(requests())
    assert found == learner_of(alone, SETTINGS).rank(requests())


def test_the_tests_of_the_learner_see_lists_without_it() -> None:
    on, off = learner_of(EXAMPLES), learner_of(EXAMPLES, SETTINGS)
    for name, array in off.arrays().items():
        np.testing.assert_array_equal(on.arrays()[name], array)
    top = list(on.ranking.top(requests(), on.parameters))
    assert top == list(off.ranking.top(requests(), off.parameters))


def test_a_replica_that_follows_ranks_the_same() -> None:
    learner = learner_of(EXAMPLES[:200])
    replica = replica_of(learner)
    for start in range(200, 500, 100):
        learner.learn(EXAMPLES[start : start + 100])
        for one in in_parts(learner.take_delta(), 2_000):
            settle(replica.apply(decode(encode(one))))
    np.testing.assert_array_equal(sums_of(replica)[: len(sums_of(learner))], sums_of(learner))
    assert replica.rank(requests()) == learner.rank(requests())
    assert ROWS not in learner.take_delta().arrays


def test_a_learner_that_began_again_takes_no_row_back() -> None:
    learner = learner_of(EXAMPLES)
    replica, again = replica_of(learner), learner_of(EXAMPLES[:250])
    settle(replica.apply(again.take_delta()))
    np.testing.assert_array_equal(sums_of(replica), sums_of(learner))
    again.learn(EXAMPLES[250:])
    settle(replica.apply(again.take_delta()))
    np.testing.assert_array_equal(sums_of(replica), sums_of(again))


@pytest.mark.parametrize("settings", [ON, SETTINGS])
def test_a_checkpoint_goes_on_where_it_was(settings: LearnerSettings) -> None:
    """Also where the setting was changed: weights are none of what was learned."""
    learner = learner_of(EXAMPLES[:300], settings)
    restored, replica = Learner(ON, DIMENSION, 7), Replica(ON, DIMENSION)
    for one in (restored, replica):
        one.add_items(catalogue())
        one.restore(*checkpoint(learner))
    np.testing.assert_array_equal(sums_of(restored), sums_of(learner))
    assert restored.rank(requests()) == learner.rank(requests())
    assert replica.rank(requests()) == learner.rank(requests())
    restored.learn(EXAMPLES[300:])
    if settings is ON:
        np.testing.assert_array_equal(sums_of(restored), sums_of(learner_of(EXAMPLES)))
    assert len(sums_of(restored))


def test_an_older_checkpoint_takes_away_what_came_after_it() -> None:
    replica = replica_of(learner_of(EXAMPLES))
    replica.restore(*checkpoint(learner_of(EXAMPLES[:100], SETTINGS)))
    assert not len(sums_of(replica))


def test_a_category_s_new_items_are_ranked_by_its_rates() -> None:
    learner = learner_of(EXAMPLES)
    features = learner.ranking.state().features
    before = learner.ranking.rates.terms(ON.objectives, features, ITEMS)["purchase"][ITEMS - 1]
    item = replace(catalogue()[ITEMS - 1], categories=("even",))
    learner.add_items([item])
    features = learner.ranking.state().features
    after = learner.ranking.rates.terms(ON.objectives, features, ITEMS)["purchase"][ITEMS - 1]
    assert after > before


def test_what_was_counted_fades_with_the_item_s_own_openings() -> None:
    rates, one = Rates(), EXAMPLES[0]
    opening = replace(one, history=())
    bought = replace(one, event=replace(one.event, kind="purchase"), history=(one.event,), offset=1)
    weights = np.ones(1, np.float32)
    for _ in range(3_000):
        rates.learn([opening], weights, lambda _: 0)
        rates.learn([bought], weights, lambda _: 0)
    full = 1.0 / (1.0 - 0.5 ** (1.0 / HALF_LIFE))
    assert rates.arrays(1)[SUMS][0, OPENED] == pytest.approx(full, rel=0.02)
    for _ in range(int(HALF_LIFE)):
        rates.learn([opening], weights, lambda _: 0)
    assert rates.arrays(1)[SUMS][0, BOUGHT] == pytest.approx(full / 2.0, rel=0.02)


def test_an_event_counts_by_its_weight() -> None:
    rates, one = Rates(), replace(EXAMPLES[0], history=())
    rates.learn([one], np.array([0.25], np.float32), lambda _: 3)
    assert rates.arrays(9)[SUMS][3, OPENED] == 0.25
    assert rates.changes()[ROWS].tolist() == [3]
    assert rates.changes() == {}


def test_what_is_forgotten_is_gone_and_not_sent() -> None:
    rates = Rates()
    rates.learn([replace(EXAMPLES[0], history=())], np.ones(1, np.float32), lambda _: 3)
    gone = np.zeros(2_048, np.bool_)
    gone[3] = True
    rates.forget(gone)
    assert not rates.arrays(9)[SUMS].any()
    assert rates.changes() == {}
    Rates().forget(gone)


def test_rates_that_do_not_fit_are_refused() -> None:
    rates = Rates()
    for sums in (np.zeros((1, 5)), np.full((1, 6), np.nan), np.zeros((2, 6))):
        with pytest.raises(ModelError, match="rates of shape"):
            rates.take({ROWS: np.zeros(1, np.int32), SUMS: sums})
    rates.take({})
    assert rates.arrays(5) == {}
    assert RETURNED == 4
    assert "purchase" in SHARES
