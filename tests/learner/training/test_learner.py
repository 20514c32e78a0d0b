"""The learner as a whole: what it promises to those who feed it and who ask it for lists."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from learner.ranking.parameters import settle
from learner.release.delta import decode, encode
from learner.release.replica import Replica
from learner.testing.figures import PEERS, Figures
from learner.training.buffer import digest
from learner.training.learner import Learner
from tests.learner.counted import item_events
from tests.learner.training.small import (
    DIMENSION,
    ITEMS,
    SETTINGS,
    catalogue,
    learner_of,
    log,
    replica_of,
    requests_of,
)
from upwell.errors import ModelError
from upwell.ports import RankRequest
from upwell.values import Interaction, UserState

EXAMPLES, STATES = log(600)
NOBODY = UserState(user="new", intent=np.zeros(DIMENSION, np.float32))


def test_the_same_log_and_seed_give_the_same_lists() -> None:
    one, other = learner_of(EXAMPLES), learner_of(EXAMPLES)
    assert one.version == other.version
    assert one.rank(requests_of(STATES)) == other.rank(requests_of(STATES))


def test_a_forgotten_user_is_in_no_checkpoint_and_the_others_stay() -> None:
    learner = Learner(replace(SETTINGS, fused=True, fused_every=1_000_000), DIMENSION, 7)
    learner.add_items(catalogue())
    learner.learn(EXAMPLES)
    others = set(learner.arrays()["fused.trainer.buffer.users"].tolist()) - {digest("u3")}
    counted, version = item_events(learner), learner.version
    assert learner.forget("u3") > 0
    assert learner.forget("u3") == 0
    assert set(learner.arrays()["fused.trainer.buffer.users"].tolist()) == others
    assert (item_events(learner), learner.version) == (counted, version)
    assert learner_of(EXAMPLES).forget("u3") == 0  # without a fused model nothing is kept of users


@pytest.mark.parametrize("share", [0.1, 0.25, 0.7])
def test_with_time_for_a_share_all_is_counted_and_a_share_tested_and_trained(share: float) -> None:
    settings = replace(SETTINGS, fused=True, fused_every=60, fused_steps=1)
    whole, some = Learner(settings, DIMENSION, 7), Learner(settings, DIMENSION, 7)
    some.share = share
    for learner in (whole, some):
        learner.add_items(catalogue())
        for start in range(0, len(EXAMPLES), 10):
            learner.learn(EXAMPLES[start : start + 10])
    counted = whole.ranking.counts.arrays(ITEMS)
    for name, array in some.ranking.counts.arrays(ITEMS).items():
        np.testing.assert_array_equal(array, counted[name])
    assert (some.learned, some.watermark) == (whole.learned, whole.watermark)
    assert whole.tests == {"drawn": 600, "taken": 600}
    assert some.tests == {"drawn": 600, "taken": pytest.approx(600 * share, abs=1)}
    steps = [int(one.arrays()["fused.trainer.trainer.steps"][0]) for one in (whole, some)]
    assert steps == [10, int(600 / round(60 / share))]


@pytest.mark.parametrize("length", [1, 63, 300, 513])
def test_figures_of_a_prefix_are_the_same_whether_the_log_goes_on_or_not(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranks: list[np.ndarray] = []
    monkeypatch.setattr(Figures, "record", lambda self, found, *rest: ranks.append(found.copy()))
    learner_of(EXAMPLES[:length])
    prefix = np.concatenate(ranks)
    ranks.clear()
    learner_of(EXAMPLES)
    assert np.array_equal(prefix, np.concatenate(ranks)[: len(prefix)])


def test_ranks_are_places_in_the_catalogue_also_for_users_who_come_back_to_items(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ranks: list[np.ndarray] = []
    monkeypatch.setattr(Figures, "record", lambda self, found, *rest: ranks.append(found.copy()))
    learner_of(EXAMPLES)
    found = np.concatenate(ranks)
    targets = [one for one in EXAMPLES if one.tested and one.event.liked]
    back = [one for one in targets if one.event.item_id in one.had]
    assert len(back) > 20
    assert len(found) == len(targets) - len(back)
    assert len(np.unique(found[:, 0])) > 50
    places = 2.0 * found  # the middle of equals
    assert np.array_equal(places, np.round(places))
    assert found.min() >= 1.0
    assert found.max() <= len(catalogue())


def test_a_target_is_ranked_by_what_came_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ranks: list[np.ndarray] = []
    monkeypatch.setattr(Figures, "record", lambda self, found, *rest: ranks.append(found.copy()))
    learner_of(EXAMPLES)
    counts, expected = np.zeros(len(catalogue())), []
    for example in EXAMPLES:
        item = int(str(example.event.item_id)[1:])
        if example.event.liked and example.event.item_id not in example.had:
            others = np.delete(counts, [int(had[1:]) for had in set(example.had)])
            expected.append(
                (others > counts[item]).sum() + ((others == counts[item]).sum() + 1) / 2
            )
        counts[item] += 1
    assert np.array_equal(np.concatenate(ranks)[:, 1 + PEERS.index("popularity")], expected)


def test_a_replica_that_applied_all_deltas_ranks_like_the_learner() -> None:
    learner, replica = learner_of([]), replica_of()
    for start in range(0, len(EXAMPLES), 150):
        learner.learn(EXAMPLES[start : start + 150])
        delta = learner.take_delta()
        for _ in range(2):  # a delta that comes twice changes nothing
            settle(replica.apply(decode(encode(delta))))
    assert (replica.version, replica.watermark) == (learner.version, learner.watermark)
    assert replica.rank(requests_of(STATES)) == learner.rank(requests_of(STATES))


def test_a_replica_may_rank_between_the_steps_of_a_delta_and_is_level_after_the_last() -> None:
    learner, replica = learner_of([]), replica_of()
    before = replica.version.rpartition("-")[2]
    learner.learn(EXAMPLES)
    counted = []
    for _ in replica.apply(learner.take_delta()):
        learned, _, digest = replica.version.rpartition("-")
        assert digest == before, "the weights change with the last step"
        prefix = learner_of(EXAMPLES[: int(learned)])
        prefix.parameters = replica.parameters
        assert replica.rank(requests_of(STATES)) == prefix.rank(requests_of(STATES))
        counted.append(int(learned))
    assert max(np.diff([0, *counted])) < len(EXAMPLES) / 8
    assert counted[-1] == len(EXAMPLES)
    assert (replica.version, replica.watermark) == (learner.version, learner.watermark)
    assert replica.rank(requests_of(STATES)) == learner.rank(requests_of(STATES))


def test_gate_and_fused_model_change_together_with_the_last_step() -> None:
    fused = replace(SETTINGS, fused=True, fused_every=64)
    learner, replica = Learner(fused, DIMENSION, 7), Replica(fused, DIMENSION)
    for one in (learner, replica):
        one.add_items(catalogue())
    learner.learn(EXAMPLES[:200])
    before = replica.version.rpartition("-")[2]
    for _ in replica.apply(learner.take_delta()):
        assert replica.version.rpartition("-")[2] == before
        assert replica.rank(requests_of(STATES)) != learner.rank(requests_of(STATES))
    assert replica.version == learner.version != before
    assert replica.rank(requests_of(STATES)) == learner.rank(requests_of(STATES))


def test_a_missing_delta_is_said() -> None:
    learner, replica = learner_of(EXAMPLES[:50]), replica_of()
    learner.take_delta()
    learner.learn(EXAMPLES[50:90])
    with pytest.raises(ModelError, match="begins after offset 49 of reviews-0"):
        settle(replica.apply(learner.take_delta()))


def test_examples_at_or_below_the_watermark_are_skipped() -> None:
    once, again = learner_of(EXAMPLES), learner_of(EXAMPLES)
    again.learn(EXAMPLES[200:])
    assert again.watermark == {"reviews-0": len(EXAMPLES) - 1}
    assert again.version == once.version
    assert again.figures.targets == once.figures.targets
    assert again.rank(requests_of(STATES)) == once.rank(requests_of(STATES))


@pytest.mark.parametrize("announced_before", [True, False])
def test_restore_becomes_the_learner_and_goes_on_like_it(announced_before: bool) -> None:
    learner, other = learner_of(EXAMPLES[:400]), Learner(SETTINGS, DIMENSION, 7)
    if announced_before:
        other.add_items(catalogue())
    other.restore(learner.arrays(), json.loads(json.dumps(learner.meta())))
    if not announced_before:
        other.add_items(catalogue())
    for one in (learner, other):
        one.learn(EXAMPLES[400:])
    assert other.version == learner.version
    assert other.figures.report() == learner.figures.report()
    assert other.rank(requests_of(STATES)) == learner.rank(requests_of(STATES))


def test_reasons_sum_to_the_score_and_the_strongest_stands_first() -> None:
    for entry in (
        entry for entries in learner_of(EXAMPLES).rank(requests_of(STATES)) for entry in entries
    ):
        assert sum(reason.weight for reason in entry.reasons) == pytest.approx(
            entry.score, abs=1e-5
        )
        strengths = [abs(reason.weight) for reason in entry.reasons]
        assert strengths == sorted(strengths, reverse=True)
        assert len({reason.signal for reason in entry.reasons}) == len(entry.reasons)


def test_reasons_name_an_item_of_the_history_or_the_users_words() -> None:
    titles = {item.item_id: item.title for item in catalogue()}
    learner = learner_of(EXAMPLES)
    named = 0
    for request, entries in zip(
        requests_of(STATES), learner.rank(requests_of(STATES)), strict=True
    ):
        own = {titles[str(one.item_id)] for one in request.state.history}
        for reason in (
            reason for entry in entries for reason in entry.reasons if reason.because is not None
        ):
            named += 1
            assert reason.because in ({"a quiet film"} if reason.signal == "intent" else own)
    assert named > 0


def test_no_list_shows_what_was_had_excluded_deleted_banned_or_never_announced() -> None:
    learner = learner_of(EXAMPLES)
    stranger = Interaction("x", 10_000, "never announced", "like", None, "clicks-0", 0)
    learner.learn([replace(EXAMPLES[0], source="clicks-0", offset=0, event=stranger)])
    learner.add_items([replace(catalogue()[0], deleted=True), replace(catalogue()[1], banned=True)])
    requests = [replace(request, exclude=("i2", "i3"), k=200) for request in requests_of(STATES)]
    for request, entries in zip(requests, learner.rank(requests), strict=True):
        shown = {entry.item_id for entry in entries}
        assert not shown & ({"i0", "i1", "i2", "i3", "never announced"} | set(request.state.had))
        assert len(shown) == len(entries)
        assert shown == {item.item_id for item in catalogue()} - {"i0", "i1", "i2", "i3"} - set(
            request.state.had
        )


def test_a_category_is_kept_to() -> None:
    requests = [replace(request, category="odd") for request in requests_of(STATES)]
    requests.append(RankRequest(state=NOBODY, k=5, category="no such"))
    lists = learner_of(EXAMPLES).rank(requests)
    assert lists.pop() == ()
    assert all(len(entries) == 10 for entries in lists)
    assert {int(entry.item_id[1:]) % 2 for entries in lists for entry in entries} == {1}


def test_pinned_items_stand_first_and_a_boost_is_its_own_reason() -> None:
    learner = learner_of(EXAMPLES)
    learner.add_items(
        [replace(catalogue()[110], pinned=True), replace(catalogue()[111], boost=50.0)]
    )
    (entries,) = learner.rank([RankRequest(state=NOBODY, k=5)])
    assert [entry.item_id for entry in entries[:2]] == ["i110", "i111"]
    assert ("boost", 50.0) in {(reason.signal, reason.weight) for reason in entries[1].reasons}


def test_somebody_new_gets_a_list_and_a_new_item_that_fits_their_words_can_be_found() -> None:
    learner = learner_of([])
    wish = RankRequest(state=replace(NOBODY, intent=catalogue()[77].vector), k=120)
    shown, nobody = learner.rank([wish, RankRequest(state=NOBODY, k=5)])
    assert "i77" in {entry.item_id for entry in shown}
    assert len(nobody) == 5


def test_nothing_known_and_nothing_asked_is_no_fault() -> None:
    empty = Learner(SETTINGS, DIMENSION, 7)
    assert empty.rank([]) == []
    assert empty.rank([RankRequest(state=NOBODY, k=5)]) == [()]
    empty.learn([])
    empty.learn(EXAMPLES[:3])  # on items that nobody announced
    assert empty.figures.targets["all"] == 0
    empty.add_items(catalogue())
    assert empty.rank([RankRequest(state=NOBODY, k=0)]) == [()]


def test_a_text_only_review_is_had_and_counted_but_no_target() -> None:
    learner = learner_of([])
    tag = replace(EXAMPLES[0], event=replace(EXAMPLES[0].event, rating=None))
    learner.learn([tag])
    assert learner.figures.targets["all"] == 0
    assert item_events(learner) == {tag.event.item_id: 1}


def test_an_item_announced_after_its_events_counts_as_if_it_had_been_known() -> None:
    late = Learner(SETTINGS, DIMENSION, 7)
    untested = [replace(example, tested=False) for example in EXAMPLES]
    late.learn(untested)
    late.add_items(catalogue())
    early = learner_of(untested)
    assert item_events(late) == item_events(early)
    for one, other in zip(
        late.rank(requests_of(STATES)), early.rank(requests_of(STATES)), strict=True
    ):
        assert len(one) == len(other) == 10


def test_a_vector_of_another_encoder_is_refused() -> None:
    with pytest.raises(ModelError, match="encode the catalogue anew"):
        learner_of([]).add_items([replace(catalogue()[0], vector=np.ones(3, np.float32))])
