"""Batches: every text once, never more padded tokens than the budget unless a text has more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from encoders.batching import chunks, token_batches

LENGTHS = st.lists(st.integers(0, 300), max_size=80)


@given(LENGTHS, st.integers(1, 2_000))
def test_every_index_comes_once(lengths: list[int], budget: int) -> None:
    assert sorted(index for batch in token_batches(lengths, budget) for index in batch) == list(
        range(len(lengths))
    )


@given(LENGTHS, st.integers(1, 2_000))
def test_the_budget_is_kept_by_all_but_single_texts(lengths: list[int], budget: int) -> None:
    for batch in token_batches(lengths, budget):
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= budget


@given(LENGTHS, st.integers(1, 2_000))
def test_longest_first_and_no_batch_is_empty(lengths: list[int], budget: int) -> None:
    batches = list(token_batches(lengths, budget))
    assert all(batches)
    order = [lengths[index] for batch in batches for index in batch]
    assert order == sorted(lengths, reverse=True)


@given(LENGTHS, st.integers(1, 2_000))
def test_the_next_text_would_not_have_fitted(lengths: list[int], budget: int) -> None:
    batches = list(token_batches(lengths, budget))
    for batch in batches[:-1]:
        assert lengths[batch[0]] * (len(batch) + 1) > budget


def test_an_example() -> None:
    assert list(token_batches([3, 9, 4, 1, 9], budget=10)) == [[1], [4], [2, 0], [3]]
    assert list(token_batches([], budget=10)) == []


@given(LENGTHS, st.integers(1, 20), st.integers(1, 2_000))
def test_chunks_hold_every_index_once_within_both_bounds(
    costs: list[int], most: int, budget: int
) -> None:
    cut = list(chunks(costs, most, budget))
    assert sorted(index for chunk in cut for index in chunk) == list(range(len(costs)))
    assert [costs[index] for chunk in cut for index in chunk] == sorted(costs)
    for chunk in cut:
        assert 1 <= len(chunk) <= most
        assert len(chunk) == 1 or sum(costs[index] for index in chunk) <= budget
