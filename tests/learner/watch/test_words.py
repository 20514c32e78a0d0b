"""Names, copies and posts that speak for others."""

from __future__ import annotations

import numpy as np

from learner.watch.rows import Row
from learner.watch.words import named, normalized, told_apart, typical


def row(number: int, text: str, topic: int = 1, by: str | None = None) -> Row:
    author = f"u{number}" if by is None else by
    return Row(number, f"p{number}", text, author, number, topic, words=named(text))


def test_copies_differ_in_signs_links_names_and_numbers() -> None:
    assert normalized("Buy NOW: 50 % off https://x.io/9 @bob!") == normalized("buy now 7 %  off")
    assert normalized("buy later") != normalized("buy now")
    assert normalized("Größe ＡＢ") == "grösse ab"
    assert normalized("@bob 12 https://a.b") == ""


def test_a_name_is_of_words_that_several_posts_share_and_others_lack() -> None:
    rows = [row(number, f"the parrot sings song{chr(97 + number)}") for number in range(4)]
    rows += [row(10 + number, f"the parcel is late {chr(97 + number)}x", 2) for number in range(9)]
    names = told_apart(rows)
    assert set(names[1].split()) == {"parrot", "sings", "the"}
    assert names[1].split()[-1] == "the"
    assert "parcel" in names[2].split()
    assert "songa" not in names[1]


def test_typical_posts_are_near_of_different_authors_and_no_copies() -> None:
    angles = np.linspace(0.0, 1.4, 12)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    rows = [row(number, f"word{chr(97 + number)}") for number in range(12)]
    rows[2] = row(2, "other", by="u0")
    vectors[1] = vectors[0]
    rows[4] = row(4, "WORDA!")
    told = [one.post_id for one in typical(rows, vectors, np.array([1.0, 0.0], np.float32))]
    assert told == ["p0", "p3", "p5", "p7", "p9"]


def test_posts_of_nobody_are_not_of_one_author() -> None:
    vectors = np.eye(3, dtype=np.float32)
    rows = [row(number, f"word{chr(97 + number)}", by="") for number in range(3)]
    assert len(typical(rows, vectors, np.ones(3, np.float32))) == 3
    assert typical([], np.zeros((0, 3), np.float32), np.ones(3, np.float32)) == ()
