"""Which words are known, what is put where, and what is counted."""

from __future__ import annotations

from random import Random

from bench.simulations.disguises import DISGUISES
from bench.trust.harm import ENDINGS, OWN_KINDS, asked, compared, parted, pooled, splits, training
from stream.chain.policy.terms import Terms
from stream.chain.policy.training import Share

KNOWN, OTHERS = ["darn", "heck"], ["blast"]
TEXTS = [f"text number {place}" for place in range(100)]


def test_no_other_word_is_a_form_of_a_known_one() -> None:
    words = [f"{letter}{end}" for letter in "abcdefghij" for end in ("xyz", "xyzs")]
    known, others = parted(words, Random(3))
    assert len(known) == 14
    assert len(others) < 6
    assert not any(one in by or by in one for one in others for by in known)


def test_training_has_each_text_and_some_with_a_known_word() -> None:
    found = training(TEXTS, KNOWN, Random(3))
    assert [one.text for one in found if not one.harmful] == TEXTS
    harmful = [one.text for one in found if one.harmful]
    assert len(harmful) == 30
    terms = Terms(KNOWN)
    assert all(terms.find(text) for text in harmful)


def test_what_is_asked_has_the_word_in_each_way() -> None:
    found = asked(TEXTS, KNOWN, OTHERS, 20, Random(3))
    assert len(found) == len(DISGUISES) + 2
    assert all("blast" in text for text in found["unknown words"])
    whole = Terms(KNOWN)
    forms = found["known, with an ending (unseen)"]
    assert not any(whole.find(text) for text in forms)
    assert all(any(word + end in text for word in KNOWN for end in ENDINGS) for text in forms)


def test_what_is_tested_was_not_in_training() -> None:
    kinds = {"a": ["a1", "a2", "a3"], "b": ["b1", "b2"]}
    found = splits(kinds)
    assert found["a"] == (["b1", "b2"], ["a1", "a2", "a3"])
    assert list(found) == ["a", "b", OWN_KINDS]
    assert all(not set(rest) & set(texts) for rest, texts in found.values())


def test_hits_are_counted_by_side_and_added_up() -> None:
    one = compared({"x": lambda texts: ["x" in text for text in texts]}, ["a", "x"], {"k": ["xx"]})
    assert one == {"x": {"false hits": Share(1, 2), "k": Share(1, 1)}}
    assert pooled([one, one]) == {"x": {"false hits": Share(2, 4), "k": Share(2, 2)}}
