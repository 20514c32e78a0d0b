from __future__ import annotations

import pytest

from stream.replay.adaptation.history import Act, History, read_history
from stream.replay.adaptation.stretches import cut, held_out_scene
from tests.stream.replay.adaptation.logs import NOW, small_log
from upwell.errors import LogError


def of(*acts: Act, items: int = 6) -> History:
    return History(("t",) * items, ((),) * items, acts, 0)


def likes(*rows: int, user: str = "u", start: int = 0) -> list[Act]:
    return [Act(start + n, user, row, liked=True) for n, row in enumerate(rows)]


def test_the_stretches_follow_each_other_in_time() -> None:
    history = read_history(small_log(), NOW)
    found = cut(history, 1_000, 0)
    assert len(found.training) == 36
    assert found.training == list(history.acts[:36])
    assert len(found.validation) == len(found.test) == 12


def test_what_happened_in_one_moment_stays_together() -> None:
    acts = [Act(0, f"u{n}", 0, liked=True) for n in range(4)]
    acts += [Act(1, f"u{n}", 1, liked=True) for n in range(4)]
    acts += [Act(2, f"u{n}", 2, liked=True) for n in range(4)]
    found = cut(of(*acts), 100, 0, (0.4, 0.4))
    assert found.until == 1
    assert (len(found.training), len(found.validation), len(found.test)) == (4, 4, 4)


def test_a_target_has_what_its_user_did_before_and_nothing_later() -> None:
    acts = [*likes(0, 1, 2, 3), Act(4, "u", 4), Act(5, "u", 1), *likes(5, 0, start=6)]
    found = cut(of(*acts), 100, 0, (0.4, 0.3))
    [before], [target] = found.validation, found.test
    assert (before.row, before.likes, before.had) == (3, (0, 1, 2), (0, 1, 2))
    assert target.row == 5  # 0 was had before: no target
    assert target.likes == (0, 2, 3)  # the newest word on 1 is no like
    assert target.had == (0, 1, 2, 3, 4)


def test_targets_are_sliced_as_in_the_protocol() -> None:
    acts = [Act(n, f"x{n}", 1, liked=True) for n in range(6)] + likes(0, 2, 3, start=6)
    acts += [Act(9, "u", 1, liked=True), Act(10, "v", 1, liked=True)]
    found = cut(of(*acts), 100, 0, (0.55, 0.1), new_scene=frozenset({3}))
    assert [(one.row, one.slices) for one in found.test] == [
        (2, ("all", "cold_user", "cold_item", "new_item")),
        (3, ("all", "cold_user", "cold_item", "new_item", "new_scene")),
        (1, ("all", "warm")),
        (1, ("all", "cold_user")),
    ]


def test_of_many_targets_some_are_drawn() -> None:
    history = read_history(small_log(), NOW)
    found, whole = cut(history, 5, 1), cut(history, 1_000, 1)
    assert len(found.test) == 5
    assert found.test == [one for one in whole.test if one in found.test]
    assert found.test == cut(history, 5, 1).test


def test_a_log_of_one_moment_cannot_be_cut() -> None:
    with pytest.raises(LogError, match="cannot be cut in three"):
        cut(of(*(Act(0, f"u{n}", 0, liked=True) for n in range(9))), 10, 0)


def test_half_of_the_categories_is_another_scene() -> None:
    categories = (("a",), ("a", "b"), ("b",), ("b", "d"), ("a", "c"), ("c",), ("a",), ())
    history = History(("t",) * 8, categories, (), 0)  # a 4, b 3, c 2, d 1: b and d are held out
    untrained, scene = held_out_scene(history)
    assert untrained == {1, 2, 3}
    assert scene == {2, 3}
    with pytest.raises(LogError, match="fewer than two categories"):
        held_out_scene(History(("t",), (("a",),), (), 0))
