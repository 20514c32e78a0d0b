"""Words as a classifier sees them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.policy.grams import BUCKETS, bucket, grams, tokens


@pytest.mark.parametrize(
    ("text", "plainest"),
    [
        ("A Fine film", ["a", "fine", "film"]),
        ("d@rn it", ["darn", "it"]),
        ("so d.a.r.n good", ["so", "darn", "good"]),
        ("daaarn", ["darn"]),
        ("f00l!", ["fool"]),
        ("ｄａｒｎ", ["darn"]),
        ("da\u200brn", ["darn"]),
        ("a55", ["a55"]),
        ("...", []),
        ("", []),
    ],
)
def test_a_word_s_plainest_reading_is_first(text: str, plainest: list[str]) -> None:
    assert [token[0] for token in tokens(text)] == plainest


def test_what_a_sign_joins_is_read_apart_too() -> None:
    assert "rock roll" in tokens("rock+roll")[0]


def test_n_grams_stay_within_a_word() -> None:
    assert list(grams("ab")) == ["<a", "ab", "b>", "<ab", "ab>", "<ab>"]
    assert set(grams("ab cd")) == {*grams("ab"), *grams("cd")}
    assert "<longer>" in set(grams("longer"))


def test_no_n_gram_has_a_star() -> None:
    assert set(grams("d*rn")) == {"<d", "rn", "n>", "rn>"}


@given(st.text())
def test_any_text_has_tokens_and_buckets(text: str) -> None:
    for token in tokens(text):
        assert token
        assert all(0 <= bucket(gram) < BUCKETS for one in token for gram in grams(one))


def test_a_bucket_is_the_same_everywhere() -> None:
    assert (bucket("<da"), bucket("é")) == (14987, 36158)
