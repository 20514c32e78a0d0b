"""What is published: a dead letter's place is its key, an entry of no lot is certain."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from upwell.recommendations import DeadLetter, Entry


@given(
    st.lists(
        st.tuples(st.sampled_from(["clicks", "dead_letters"]), st.integers(0, 99), st.integers(0)),
        unique=True,
    )
)
def test_two_letters_have_one_place_only_if_they_stood_at_one(
    spots: list[tuple[str, int, int]],
) -> None:
    letters = [
        DeadLetter(reason="r", detail="d", topic=topic, partition=number, offset=at, raw=b"", ts=1)
        for topic, number, at in spots
    ]
    assert len({one.place for one in letters}) == len(spots)
    for one, (topic, number, at) in zip(letters, spots, strict=True):
        name, partition, offset = one.place.rsplit("-", 2)
        assert (name, int(partition), int(offset)) == (topic, number, at)


def test_an_entry_that_no_lot_put_there_is_certain() -> None:
    entry = Entry(item_id="i", score=1.0, reasons=())
    assert (entry.propensity, entry.explored) == (1.0, False)
