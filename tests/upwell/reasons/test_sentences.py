"""Signals in, sentences out: for all that a ranking can name, in each language."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.ranking.explain import OTHER, SHARES
from upwell.reasons import Sentences
from upwell.reasons.tables import SHIPPED
from upwell.recommendations import Entry, Reason

BY_LANGUAGE = {language: Sentences(language) for language in SHIPPED}
EN = BY_LANGUAGE["en"]


def entry(*reasons: tuple[str, float, str | None], explored: bool = False) -> Entry:
    made = tuple(Reason(signal=name, weight=one, because=why) for name, one, why in reasons)
    return Entry(
        item_id="i", score=sum(one.weight for one in made), reasons=made, explored=explored
    )


entries = st.builds(
    lambda reasons, explored: entry(*reasons, explored=explored),
    st.lists(
        st.tuples(
            st.sampled_from([*SHARES, OTHER, "a_signal_of_a_newer_engine"]),
            st.floats(-5, 5).filter(bool),
            st.none() | st.text(max_size=300),
        ),
        max_size=8,
        unique_by=lambda one: one[0],
    ),
    st.booleans(),
)


@pytest.mark.parametrize("language", SHIPPED)
@given(entries)
def test_one_to_three_sentences_and_other_never_alone(language: str, found: Entry) -> None:
    sentences = BY_LANGUAGE[language].of(found)
    assert 1 <= len(sentences) <= 3
    assert len(set(sentences)) == len(sentences)
    other = BY_LANGUAGE[language].of(entry(("fused", 1.0, None), (OTHER, 1.0, None)))[1]
    assert sentences != (other,)
    for one in sentences:
        assert one.strip() == one
        assert one.endswith((".", "…"))
        assert not any(unicodedata.category(char) == "Cc" for char in one)
        assert len(one.splitlines()) == 1


@pytest.mark.parametrize("language", SHIPPED)
@pytest.mark.parametrize("signal", SHARES)
@pytest.mark.parametrize("because", [None, "Heat (1995)"])
def test_each_signal_says_something_of_its_own(
    language: str, signal: str, because: str | None
) -> None:
    nothing = BY_LANGUAGE[language].of(entry())
    [said] = BY_LANGUAGE[language].of(entry((signal, 0.1, because)))
    assert (said,) != nothing
    assert "{" not in said
    assert signal not in said


@pytest.mark.parametrize("language", SHIPPED)
def test_what_an_item_or_words_can_cause_names_them(language: str) -> None:
    caused = (
        *("covisitation", "affinity_10", "affinity_50", "affinity_any_10", "transition_last"),
        *("transition_3", "transition_any_3", "transition_recent", "transition_10"),
        *("text_similarity", "catalogue_distance", "catalogue_direction", "intent", "lexical"),
    )
    for signal in caused:
        [said] = BY_LANGUAGE[language].of(entry((signal, 1.0, "Heat {because} (1995)")))
        assert "Heat {because} (1995)" in said, signal


def test_the_strongest_come_first_and_the_same_is_said_once() -> None:
    found = entry(
        ("popularity_50", 0.3, None),
        ("covisitation", 0.25, "Heat"),
        ("affinity_10", 0.25, "Heat"),
        ("categories", -2.0, None),
        ("fused", 0.01, None),
    )
    assert EN.of(found) == (
        "Because you liked Heat: people who liked it also liked this.",
        "Popular right now.",
    )


def test_what_stands_there_by_lot_says_so_first() -> None:
    found = entry(("fused", 1.0, None), ("new_item", 0.5, None), ("recency", 0.4, None))
    assert EN.of(found)[0] == "Fits your taste as a whole."
    by_lot = Entry(item_id="i", score=1.9, reasons=found.reasons, explored=True)
    assert EN.of(by_lot) == (
        "Seldom shown so far: here to find out who likes it.",
        "Fits your taste as a whole.",
        "New here.",
    )


def test_smaller_reasons_together_are_told_beside_others_where_they_count() -> None:
    assert EN.of(entry((OTHER, 1.0, None), ("fused", 0.5, None))) == (
        "Fits your taste as a whole.",
        "And several smaller reasons.",
    )
    assert EN.of(entry(("fused", 1.0, None), (OTHER, 0.05, None))) == (
        "Fits your taste as a whole.",
    )
    suggestion = ("A first suggestion, until more is known of you.",)
    for alone in (entry((OTHER, 1.0, None)), entry(("fused", -1.0, None)), entry()):
        assert EN.of(alone) == suggestion


def test_long_titles_and_lines_fit_in_a_sentence() -> None:
    [said] = EN.of(entry(("transition_last", 1.0, "a\n\tlong\x1b title " + "x" * 300)))
    assert said.startswith("After a long title xxx")
    assert len(said) < 130
    [without] = EN.of(entry(("transition_last", 1.0, " \n ")))
    assert without == "People often go on to this from what you saw last."


def test_apps_load_nothing_heavy_for_it() -> None:
    program = (
        "import sys\nfrom upwell import Sentences\nSentences('de')\n"
        "print({'torch', 'numba', 'numpy', 'faust', 'transformers'} & sys.modules.keys())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout in (b"set()\n", b"{'numpy'}\n")


def test_a_value_that_both_share_is_named_instead_of_the_other_item() -> None:
    found = Reason(
        signal="relations", weight=1.0, because="Aliens", relation="film_series", value="Alien"
    )
    told = Entry(item_id="i", score=1.0, reasons=(found,))
    assert EN.of(told) == ("Same film series: Alien.",)
    assert BY_LANGUAGE["de"].of(told) == ("Gleich: film series: Alien.",)
    named = Reason(signal="relations", weight=1.0, because="Aliens", relation="sequel_of")
    assert EN.of(Entry(item_id="i", score=1.0, reasons=(named,))) == ("Goes with Aliens.",)
