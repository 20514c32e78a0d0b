"""Terms are found as a reader reads them, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.policy.terms import Hit, Terms

BAD = Terms(["darn", "shoot", "big fool", "heck*", "дурак", "混蛋", "blöd", "rot-ten"])


def terms_in(text: str, terms: Terms = BAD) -> list[str]:
    return [hit.term for hit in terms.find(text)]


@pytest.mark.parametrize(
    "text",
    [
        "darn",
        "Oh DARN!",
        "(darn)",
        "darn's",
        "x/darn/y",
        "snake_darn_case",
        "ｄａｒｎ",
        "d\u200barn",
        "dárn",
        "d4rn",
        "d@rn",
        "d@rn!!",
        "daaaarrrrn",
        "d a r n",
        "d.a.r.n.",
        "d-a-r-n",
        "I d a r n you",
        "d*rn",
        "d**n",
        "*darn*",
        "dаrn",  # a Cyrillic a
    ],
)
def test_a_word_is_found_however_it_is_written(text: str) -> None:
    assert terms_in(text) == ["darn"]


@pytest.mark.parametrize(
    "text",
    [
        "darning",
        "undarned",
        "Scundarnthorpe",
        "barn",
        "da rn",
        "d. Also rn",
        "D4RN5",
        "d***",
        "*",
        "",
        "1234 5678",
        "дома",
        "shot",
        "fool big",
        "big and fool",
    ],
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert terms_in(text) == []


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("sh00t", "shoot"),
        ("a BIG   fool", "big fool"),
        ("big, f00l", "big fool"),
        ("heck", "heck*"),
        ("heckling", "heck*"),
        ("ну ты дурак", "дурак"),
        ("ДУРА\u0301К", "дурак"),
        ("你这个混蛋啊", "混蛋"),
        ("wie blo\u0308d", "blöd"),
        ("rot-ten", "rot-ten"),
        ("rot ten", "rot-ten"),
    ],
)
def test_phrases_beginnings_and_other_scripts(text: str, term: str) -> None:
    assert terms_in(text) == [term]


def test_what_is_allowed_is_none_of_them() -> None:
    terms = Terms(["a55", "heck*"], allowed=["heckle", "Audi A55"])
    assert terms_in("the Audi A55 and a heckle", terms) == []
    assert terms_in("an a55 and a heckler", terms) == ["a55", "heck*"]


def test_a_letter_drawn_out_in_the_term_itself_is_kept() -> None:
    assert terms_in("as a rule", Terms(["ass"])) == []
    assert terms_in("asssss", Terms(["ass"])) == ["ass"]


def test_places_are_those_of_the_text_as_it_was_written() -> None:
    text = "Ó\u200b — ＤＡＲＮ, d\u200ba\u0301rn and d a r n"
    assert [text[hit.start : hit.end] for hit in BAD.find(text)] == [
        "ＤＡＲＮ",
        "d\u200ba\u0301rn",
        "d a r n",
    ]


@pytest.mark.parametrize(
    ("term", "harmful", "fine"),
    [
        ("d@rn", "darn", "d"),
        ("a$$", "ass", "a"),
        ("shi+", "shit", "shi"),
        ("b@d d@y", "bad day", "b"),
    ],
)
def test_a_term_that_is_disguised_itself_is_what_it_means(
    term: str, harmful: str, fine: str
) -> None:
    assert terms_in(harmful, Terms([term])) == [term]
    assert terms_in(term, Terms([term])) == [term]
    assert terms_in(fine, Terms([term])) == []


def test_a_term_without_a_letter_is_refused() -> None:
    with pytest.raises(ValueError, match="has no letter"):
        Terms(["darn", "!?"])


@given(st.text(), st.text())
def test_a_term_apart_from_its_neighbours_is_found_in_any_text(before: str, after: str) -> None:
    text = f"{before}\ndarn\n{after}"
    assert Hit(len(before) + 1, len(before) + 5, "darn") in BAD.find(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_hits_lie_in_the_text(text: str) -> None:
    assert all(0 <= hit.start < hit.end <= len(text) for hit in BAD.find(text))


@pytest.mark.parametrize(
    "text", ["a" * 20_000, "a " * 10_000, "d4" * 10_000, "@" * 20_000, "d*" * 10_000]
)
def test_long_texts_of_signs_end(text: str) -> None:
    assert isinstance(BAD.find(text), list)
