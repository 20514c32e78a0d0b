"""What was written or marked last stays."""

from __future__ import annotations

from upwell.system.lru import Lru


def test_the_one_that_was_written_or_marked_the_longest_ago_leaves_first() -> None:
    kept: Lru[str, int] = Lru(3)
    for place, name in enumerate("abc"):
        kept[name] = place
    kept["a"] = 10
    kept.move_to_end("b")
    assert kept["c"] == 2  # reading marks nothing
    kept["d"] = 3
    assert dict(kept) == {"a": 10, "b": 1, "d": 3}


def test_what_is_there_already_stays_where_it_is() -> None:
    kept: Lru[str, int] = Lru(2)
    kept["a"] = 1
    kept["b"] = 2
    assert kept.setdefault("a", 3) == 1
    kept["c"] = 4
    assert dict(kept) == {"b": 2, "c": 4}


def test_none_is_kept_where_there_is_no_room() -> None:
    kept: Lru[str, int] = Lru(0)
    kept["a"] = 1
    assert not kept
