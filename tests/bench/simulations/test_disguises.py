"""Disguises hide a word from who reads letters; texts with a plain word are not innocent."""

from __future__ import annotations

from random import Random

import pytest

from bench.simulations.disguises import DISGUISES, innocent, measured
from stream.chain.policy.terms import Terms


@pytest.mark.parametrize("kind", [kind for kind in DISGUISES if kind != "as it is"])
def test_a_disguise_is_another_writing_and_is_found(kind: str) -> None:
    hidden = DISGUISES[kind]("harsh", Random(3))
    assert hidden != "harsh"
    assert Terms(["harsh"]).find(f"A title {hidden}")


def test_a_text_with_a_word_by_itself_is_not_innocent() -> None:
    texts = ["Harsh, a film", "harshly", "a b", "x.harsh.y"]
    assert innocent(texts, ["harsh"]) == ["harshly", "a b"]


def test_hits_are_counted_by_disguise_and_among_the_innocent() -> None:
    found = measured(lambda text: "x" in text, {"one": ["ax", "b"]}, ["x", "y", "z"])
    assert found["found"] == {"one": 0.5}
    assert (found["false_hits"], found["of"], found["examples"]) == (1, 3, ["x"])
