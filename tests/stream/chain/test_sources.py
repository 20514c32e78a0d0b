"""Sources: written and read, and what a list says that it covers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.chain.sources import Source, current_offsets
from upwell.events import Topic

HEXADECIMAL = st.text("0123456789abcdef", max_size=8)


@given(st.builds(Source, st.sampled_from(Topic), HEXADECIMAL, st.integers(0, 10_000)))
def test_parsing_is_the_inverse_of_str(source: Source) -> None:
    assert Source.parse(str(source)) == source


def test_a_source_without_an_incarnation_is_what_older_versions_stored() -> None:
    assert str(Source(Topic.DEAD_LETTERS, "", 3)) == "dead_letters-3"
    assert Source.parse("clicks-0") == Source(Topic.CLICKS, "", 0)


def test_only_offsets_of_the_topics_as_they_are_now_are_shown() -> None:
    watermark = {
        "clicks-0": 7,
        "clicks@aa-0": 5,
        "clicks@bb-0": 1,
        "clicks@bb-1": 2,
        "reviews-0": 4,
    }
    assert current_offsets(watermark, {Topic.CLICKS: "bb"}) == {
        "clicks-0": 1,
        "clicks-1": 2,
        "reviews-0": 4,
    }
