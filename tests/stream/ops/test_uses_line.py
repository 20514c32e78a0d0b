"""What `doctor` says of the processes of the other uses."""

from __future__ import annotations

from typing import Any

from stream.ops.uses_line import uses_line

NOW = 1_700_000_000_000


def said(role: str, at: int, events: int = 1_200) -> dict[str, Any]:
    use = {"events": events, "letters": 3, "forgotten": 0}
    return {"instance": role, "role": role, "at": at, "use": use}


def test_none_is_no_fault() -> None:
    line = uses_line([{"instance": "serve-0", "role": "serve", "at": NOW}], NOW)
    assert line.startswith("none has been heard lately: `upwell run --roles desk` or `watch`")


def test_the_last_word_of_each_counts() -> None:
    line = uses_line(
        [said("watch", NOW - 900), said("desk", NOW - 5_000, 1), said("desk", NOW)], NOW
    )
    assert line == (
        "desk took 1,200 events, 3 of them dead letters; "
        "watch took 1,200 events, 3 of them dead letters"
    )


def test_one_that_is_silent_is_a_warning() -> None:
    line = uses_line([said("watch", NOW - 75_000), said("desk", NOW)], NOW)
    assert line.startswith("warning: desk took")
    assert line.endswith("watch took 1,200 events, 3 of them dead letters, and is silent for 75 s")
