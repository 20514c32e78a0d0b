"""Keys are the same everywhere."""

from __future__ import annotations

from learner.watch.post import key_of


def test_a_key_is_of_all_parts_and_of_their_borders() -> None:
    assert key_of("a", "b") == key_of("a", "b")
    assert len({key_of("a", "b"), key_of("ab"), key_of("a", "b", ""), key_of("b", "a")}) == 4
    assert 0 <= key_of("", "\ud800", "名") < 1 << 63


def test_it_is_the_same_on_every_machine() -> None:
    assert key_of("p1") == 8361833091136382792
