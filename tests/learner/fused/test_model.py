"""What an item and a user are to the fused model, and that replicas and restored models are the
same model.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.counts.events import KINDS
from learner.fused import model as fused
from learner.fused.histories import LENGTH, intent_weights
from learner.fused.intent import event_weight
from learner.fused.items import ItemTable
from learner.fused.model import FusedModel
from learner.fused.trained import TrainedModel
from learner.ranking.parameters import settle
from tests.learner.toy import DIMENSION, ITEMS, histories, model, ring, table, trainer, vectors
from upwell.errors import ModelError


def untrained() -> FusedModel:
    """As a replica begins: all items announced."""
    return FusedModel(table(vectors()))


def test_a_new_item_is_its_text() -> None:
    made = model()
    project = made.network.project.detach().numpy()
    np.testing.assert_allclose(
        made.item_matrix()[:, :-1], vectors() @ project, rtol=1e-5, atol=1e-6
    )
    assert not made.item_matrix()[:, -1].any()


def test_the_identity_weighs_more_with_every_interaction() -> None:
    made = model()
    made.write(np.array([3]), np.ones((1, made.width), np.float32))
    text = made.item_matrix()[3].copy()
    distances = []
    for _ in range(3):
        made.items.count(np.array([3, 3], np.int32))
        distances.append(float(np.linalg.norm(made.item_matrix()[3] - text)))
    assert 0.0 < distances[0] < distances[1] < distances[2] < np.sqrt(made.width)


def test_items_grow_without_moving_those_before() -> None:
    made = model()
    before = made.item_matrix().copy()
    more = np.concatenate([vectors(), vectors(3_000, seed=5)])
    made.items.refer(more, len(more), np.arange(ITEMS, len(more)))
    np.testing.assert_array_equal(made.item_matrix()[:ITEMS], before)
    np.testing.assert_allclose(
        made.item_matrix()[ITEMS:, :-1],
        vectors(3_000, seed=5) @ made.network.project.detach().numpy(),
        atol=1e-5,
    )


def test_a_row_of_zeros_is_announced_later() -> None:
    texts = np.zeros((2, DIMENSION), np.float32)
    made = TrainedModel(table(texts), 7, device="cpu")
    assert not made.items.announced.any()
    assert not made.item_matrix().any()
    texts[1] = vectors(1)
    made.items.refer(texts, 2, np.array([1]))
    assert made.items.announced[:2].tolist() == [False, True]
    assert made.item_matrix()[1].any()


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, DIMENSION + 1), np.float32), np.full((1, DIMENSION), np.nan, np.float32)]
)
def test_vectors_that_do_not_fit_are_refused(wrong: NDArray[np.float32]) -> None:
    with pytest.raises(ModelError, match="encode the catalogue anew"):
        ItemTable(DIMENSION).refer(wrong, 1, np.array([0]))


def test_padding_and_company_do_not_matter() -> None:
    made = trainer()
    made.train(5)
    alone = made.model.user_vectors(histories([[1, 2, 3]]))
    among = made.model.user_vectors(histories([[4] * LENGTH, [1, 2, 3], []]))
    np.testing.assert_allclose(alone[0], among[1], rtol=1e-4, atol=1e-5)


def test_a_user_without_history_is_their_intent_and_without_that_the_default() -> None:
    made = model()
    intents = np.zeros((2, DIMENSION), np.float32)
    intents[0] = vectors()[5]
    found = made.user_vectors(histories([[], []], intents))[:, :-1]
    np.testing.assert_allclose(found[1], made.network.default.detach().numpy(), rtol=1e-6)
    scores = made.item_matrix()[:, :-1] @ found[0]
    assert int(np.argmax(scores)) == 5, (
        "before any training an intent finds the item whose text it is"
    )


def test_only_the_direction_of_an_intent_counts() -> None:
    made = model()
    intent = vectors(1, seed=9)
    near, far = (
        made.user_vectors(histories([[1, 2]], intent * np.float32(scale))) for scale in (1.0, 30.0)
    )
    np.testing.assert_allclose(near, far, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("field", ["kinds", "ratings", "ts", "rows"])
def test_each_part_of_an_event_is_read(field: str) -> None:
    made, past = model(), histories([[1, 2, 3]])
    other = {"kinds": KINDS.index("skip"), "ratings": 1.0, "ts": 86_400_000, "rows": 9}[field]
    changed = getattr(past, field).copy()
    changed[0, 2] = other
    assert not np.allclose(
        made.user_vectors(past), made.user_vectors(replace(past, **{field: changed})), atol=1e-4
    )


def test_the_order_of_events_is_read() -> None:
    made = model()
    assert not np.allclose(
        made.user_vectors(histories([[1, 2, 3]])),
        made.user_vectors(histories([[2, 1, 3]])),
        atol=1e-4,
    )


def test_the_last_columns_make_scores_a_dot_product() -> None:
    made = model()
    assert (made.user_vectors(histories([[1], []]))[:, -1] == 1.0).all()


def test_an_empty_catalogue_gives_users_all_the_same() -> None:
    made = FusedModel(ItemTable(DIMENSION))
    assert made.user_vectors(histories([[]])).shape == (1, made.width)
    assert made.item_matrix().shape == (0, made.width)


def test_a_replica_that_took_all_deltas_ranks_alike() -> None:
    teacher, replica = trainer(), untrained()
    for _ in range(3):
        fed = ring(24)
        teacher.train(2)
        delta = teacher.model.changes()
        settle(replica.take(delta))
        teacher.add(fed)
        replica.items.count(fed.rows)
    replica.items.count(ring(24).rows)  # what the trainer counted before its first delta
    past = histories([[1, 2, 3], []])
    for mine, theirs in (  # made in other batches: the last bit is BLAS's (docs/decisions/0016)
        (replica.item_matrix(), teacher.model.item_matrix()),
        (replica.user_vectors(past), teacher.model.user_vectors(past)),
    ):
        np.testing.assert_allclose(mine, theirs, rtol=0.0, atol=1e-6)
    assert delta["identities"].dtype == np.float16
    assert teacher.model.changes() == {}, "nothing changed since the last take"
    np.testing.assert_array_equal(replica.row_digests, teacher.model.row_digests)
    assert replica.digest == teacher.model.digest


def test_between_the_steps_of_a_delta_the_weights_before_it_rank(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fused, "_CHUNK", 7)
    teacher, replica, whole = trainer(), untrained(), untrained()
    teacher.train(3)
    delta = teacher.model.changes()
    past, fed = histories([[1, 2, 3], []]), ring(24)
    for one in (replica, whole):
        one.items.count(fed.rows)
    matrix, users = whole.item_matrix().copy(), whole.user_vectors(past)
    steps = 0
    for _ in replica.take(delta):
        np.testing.assert_array_equal(replica.item_matrix(), matrix)
        np.testing.assert_array_equal(replica.user_vectors(past), users)
        steps += 1
    settle(whole.take(delta))
    assert steps == -(-ITEMS // 7)
    assert not np.allclose(whole.item_matrix(), matrix)
    np.testing.assert_array_equal(replica.item_matrix(), whole.item_matrix())
    np.testing.assert_array_equal(replica.user_vectors(past), whole.user_vectors(past))
    replica.items.count(np.array([3], np.int32))
    whole.items.count(np.array([3], np.int32))
    np.testing.assert_array_equal(replica.item_matrix(), whole.item_matrix())


def test_the_whole_of_a_model_makes_any_other_the_same() -> None:
    taught, other = trainer(), trainer()
    taught.train(4)
    other.add(ring(24, seed=8))
    other.train(9)
    whole = taught.model.whole()
    assert 0 < len(whole["rows"]) <= ITEMS
    fresh = FusedModel(other.model.items)
    for one in (other.model, fresh):
        settle(one.take(whole, whole=True))
        assert one.ready
        np.testing.assert_array_equal(one.identities, taught.model.identities)
        np.testing.assert_array_equal(one.row_digests, taught.model.row_digests)
    np.testing.assert_array_equal(other.model.item_matrix(), fresh.item_matrix())


def test_what_is_counted_while_parameters_are_taken_is_seen_after_the_last_step() -> None:
    teacher, replica, whole = trainer(), untrained(), untrained()
    teacher.train(3)
    delta = teacher.model.changes()
    for _ in replica.take(delta):
        replica.items.count(np.array([3], np.int32))
    settle(whole.take(delta))
    whole.items.count(np.array([3], np.int32))
    np.testing.assert_array_equal(replica.item_matrix(), whole.item_matrix())


def test_models_over_one_table_see_the_same_items() -> None:
    shared = table(vectors())
    one, other = (TrainedModel(shared, 7, device="cpu") for _ in range(2))
    before = one.item_matrix().copy()
    for made in (one, other):
        made.write(np.array([3]), np.ones((1, made.width), np.float32))
        shared.count(np.array([3], np.int32))
    np.testing.assert_array_equal(one.item_matrix(), other.item_matrix())
    assert not np.array_equal(one.item_matrix(), before)
    assert np.shares_memory(one.items.vectors, other.items.vectors)


@pytest.mark.parametrize("wrong", ["missing", "shape", "nan"])
def test_arrays_that_do_not_fit_are_refused_and_change_nothing(wrong: str) -> None:
    made = model()
    before, arrays = made.item_matrix().copy(), model(seed=8).whole()
    name = "network.project"
    if wrong == "missing":
        del arrays[name]
    else:
        arrays[name] = (
            np.zeros((1, 1), np.float32) if wrong == "shape" else np.full_like(arrays[name], np.nan)
        )
    with pytest.raises(ModelError, match="project"):
        settle(made.take(arrays))
    with pytest.raises(ModelError, match="project"):
        made.restore_network(arrays)
    np.testing.assert_array_equal(made.item_matrix(), before)


def test_the_intent_of_a_window_weighs_events_as_the_stream_does() -> None:
    codes = np.arange(len(KINDS), dtype=np.uint8)
    plain = intent_weights(codes, np.full(len(KINDS), np.nan, np.float32))
    assert plain.tolist() == pytest.approx([event_weight(kind, None) for kind in KINDS])
    rated = intent_weights(np.array([KINDS.index("review")], np.uint8), np.array([1.0], np.float32))
    assert rated[0] == event_weight("review", 1.0)
