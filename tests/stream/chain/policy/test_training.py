"""A classifier is learned of examples, to the bit, or what is wrong with them is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.policy.classifier import Classifier
from stream.chain.policy.training import Example, learn, measure, wilson
from tests.stream.chain.policy.harm import examples, model
from upwell.errors import LogError


def test_the_same_examples_and_seed_are_the_same_bits() -> None:
    again, figures = learn(examples(), "abuse", 0.01, 7)
    assert again.weights.tobytes() == model().weights.tobytes()
    assert (again.bias, again.threshold) == (model().bias, model().threshold)
    assert again.held_out == model().held_out
    assert figures["recall"].of == 40


def test_another_seed_is_another_model() -> None:
    assert learn(examples(), "abuse", 0.01, 8)[0].weights.tobytes() != model().weights.tobytes()


def test_it_knows_what_it_has_not_seen() -> None:
    found = measure(Classifier(model()), examples(seed=99))
    assert found["recall"].value > 0.95
    assert found["false_hits"].value <= 0.03


def test_a_text_of_which_nothing_is_known_is_harmless() -> None:
    bare = replace(model(), weights=np.zeros_like(model().weights))
    assert Classifier(bare).find("whatever") == []


def test_texts_that_are_there_twice_count_once() -> None:
    twice, _ = learn(2 * examples(), "abuse", 0.01, 7)
    assert twice.examples == {"harmful": 200, "harmless": 800}
    assert twice.weights.tobytes() == model().weights.tobytes()


@pytest.mark.parametrize(
    ("told", "rate", "said"),
    [
        (examples(harmful=49), 0.01, "49 harmful texts: at least 50"),
        (examples(harmful=0), 0.01, "0 harmful texts"),
        (examples(harmless=499), 0.01, "499 harmless texts: a rate of false hits of 0.01"),
        (examples(harmless=0), 0.01, "0 harmless texts"),
        (examples(), 0.001, "is seen in 5,000 at least"),
        (examples(), 0.0, "between 0 and 1"),
        ([], 0.01, "0 harmful texts"),
        ([Example("x", True), Example("x", False)], 0.01, "'x' is called both"),
    ],
)
def test_what_is_too_few_or_one_sided_is_refused(
    told: list[Example], rate: float, said: str
) -> None:
    with pytest.raises(LogError) as refused:
        learn(told, "abuse", rate, 7)
    assert said in str(refused.value)


def test_labels_without_sense_have_no_good_recall() -> None:
    told = [Example(one.text, place % 5 == 0) for place, one in enumerate(examples())]
    _, figures = learn(told, "noise", 0.01, 7)
    assert figures["recall"].value < 0.3


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_is_around_its_share(hits: int, others: int) -> None:
    low, high = wilson(hits, hits + others)
    assert 0.0 <= low <= high <= 1.0
    if hits + others:
        assert low <= hits / (hits + others) + 1e-12
        assert hits / (hits + others) <= high + 1e-12


def test_wilson_s_interval_is_the_textbook_s() -> None:
    assert wilson(1, 10) == pytest.approx((0.0179, 0.4042), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
