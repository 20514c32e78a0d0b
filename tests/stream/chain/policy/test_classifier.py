"""A classifier hits texts as a whole, and no disguise that is read makes it see less."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.policy.classifier import CLASSIFIER, Classifier, sigmoid
from stream.chain.policy.grams import BUCKETS
from stream.chain.policy.terms import Hit
from tests.stream.chain.policy.harm import BAD, FINE, model

WIDE = {code: code + 0xFEE0 for code in range(ord("a"), ord("z") + 1)}
DISGUISES: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "wide": lambda word: word.translate(WIDE),
    "accent": lambda word: f"{word[:2]}\u0301{word[2:]}",
    "invisible": lambda word: f"{word[:2]}\u200b{word[2:]}",
    "digits": lambda word: word[:1] + word[1:].translate(str.maketrans("aeo", "430")),
    "signs": lambda word: word[:1] + word[1:].translate(str.maketrans("as", "@$")),
    "drawn out": lambda word: word[:2] + 3 * word[1] + word[2:],
    "spaced": " ".join,
    "dotted": ".".join,
    "look-alike": lambda word: word[:1] + word[1:].translate(str.maketrans("aeo", "аео")),
}
OTHERS = [word for word in FINE if len(word) > 1]


def test_a_text_is_hit_whole_or_not() -> None:
    own = Classifier(model())
    text = "a quiet darn film"
    assert own.find(text) == [Hit(0, len(text), CLASSIFIER)]
    assert own.find("a quiet film") == []


@pytest.mark.parametrize("kind", DISGUISES)
@given(
    before=st.lists(st.sampled_from(OTHERS), max_size=4),
    word=st.sampled_from(BAD),
    after=st.lists(st.sampled_from(OTHERS), max_size=4),
)
def test_no_disguise_makes_it_less_likely(
    kind: str, before: list[str], word: str, after: list[str]
) -> None:
    own = Classifier(model())
    hidden = DISGUISES[kind](word)
    plain = own.probability(" ".join((*before, word, *after)))
    assert own.probability(" ".join((*before, hidden, *after))) >= plain


@given(st.integers(0, 2**32), st.sampled_from(BAD))
def test_that_holds_for_any_weights(seed: int, word: str) -> None:
    weights = np.random.default_rng(seed).normal(size=BUCKETS).astype(np.float32)
    own = Classifier(replace(model(), weights=weights))
    for disguise in DISGUISES.values():
        assert own.probability(f"film {disguise(word)}") >= own.probability(f"film {word}")


@given(st.text())
def test_any_text_has_a_probability(text: str) -> None:
    own = Classifier(model())
    assert 0.0 <= own.probability(text) <= 1.0
    assert all(adds > 0 for _, adds in own.why(text))


def test_a_text_without_words_is_harmless_whatever_the_bias() -> None:
    own = Classifier(replace(model(), bias=50.0))
    assert own.probability("?!") == 0.0
    assert own.probability("film") == pytest.approx(1.0)


def test_why_names_the_n_grams_of_the_bad_word_and_they_add_up() -> None:
    own = Classifier(model())
    assert all(gram.strip("<>") in "darn" for gram, _ in own.why("a quiet d4rn film"))
    text = "darn"
    logit = math.log(own.probability(text) / (1 - own.probability(text)))
    zero = replace(model(), weights=np.maximum(model().weights, 0))
    all_of_them = sum(adds for _, adds in Classifier(zero).why(text, most=99))
    assert logit <= all_of_them + own.model.bias + 1e-6


def test_a_threshold_of_one_s_own_is_held() -> None:
    text = "a quiet darn film"
    own = Classifier(model(), threshold=1.0)
    assert own.find(text) == []
    assert Classifier(model(), threshold=own.probability(text)).find(text)


def test_a_sigmoid_has_no_overflow() -> None:
    assert (sigmoid(-1e4), sigmoid(0.0), sigmoid(1e4)) == (0.0, 0.5, 1.0)
