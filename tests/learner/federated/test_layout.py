"""One place for each item of all catalogues: the same whoever came first, and for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from learner.federated.layout import Layout, text_digest

CATALOGUES = st.lists(
    st.dictionaries(st.text(max_size=3), st.sampled_from(["a", "b"]), max_size=6), max_size=5
)


@given(CATALOGUES, st.randoms(use_true_random=False))
def test_the_union_has_no_order_of_clients(catalogues: list[dict[str, str]], rng: object) -> None:
    shuffled = list(catalogues)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    found = Layout().extended(catalogues)
    assert found == Layout().extended(shuffled)
    assert set(found.ids) == {one for catalogue in catalogues for one in catalogue}


@given(CATALOGUES, CATALOGUES)
def test_a_place_never_changes(first: list[dict[str, str]], then: list[dict[str, str]]) -> None:
    before = Layout().extended(first)
    after = before.extended(then)
    assert after.ids[: len(before)] == before.ids
    assert after.digests[: len(before)] == before.digests
    assert len(set(after.ids)) == len(after)


def test_another_text_under_the_same_id_is_disputed() -> None:
    layout = Layout().extended([{"x": "film", "y": "a"}, {"x": "film"}, {"x": "shoe"}])
    assert layout.of({"x": "shoe", "y": "a", "new": "b"}) == ({"y": 1}, ["x"])
    assert layout.of({"x": "film"}) == ({"x": 0}, [])


def test_digests_tell_texts_apart_also_broken_ones() -> None:
    assert text_digest("a") != text_digest("b")
    assert len(text_digest("\ud800")) == 16
