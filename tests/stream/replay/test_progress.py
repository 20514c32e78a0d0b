"""The line of progress on any screen, and as it is printed where there is none."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from stream.replay.progress import Standing, StreamProgress, progress_line, watched


def printed(done: int, behind: int, hr10: float | None, *, finish: bool = False) -> str:
    out = StringIO()
    with StreamProgress(Console(file=out, width=120), "catalogue", 1_500) as progress:
        progress.show(done, behind, hr10)
        if finish:
            progress.finish(hr10)
    return out.getvalue()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_says_how_far_how_late_and_how_good() -> None:
    line = printed(700, 1_234, 0.12345)
    for part in ("catalogue", "700/1500", "lag 1,234", "HR@10 0.123"):
        assert part in line


def test_before_the_first_test_there_is_no_quality() -> None:
    assert "HR@10" not in printed(700, 0, None)


@pytest.mark.parametrize(("done", "shown"), [(-5, "0/1500"), (9_999, "1500/1500")])
def test_what_the_broker_counts_beside_the_log_does_not_show(done: int, shown: str) -> None:
    """The lag may be older than the log, or count what others sent."""
    assert f" {shown}" in printed(done, -3, None)
    assert "lag 0" in printed(done, -3, None)


def test_at_the_end_all_is_done() -> None:
    line = printed(10, 1_490, 0.5, finish=True)
    assert "1500/1500" in line
    assert "lag 0" in line


def test_what_is_left_is_told_by_the_rate_so_far() -> None:
    assert Standing("x", 1_000, done=250, seconds=10.0).left == 30.0
    assert Standing("x", 1_000, done=1_000, seconds=10.0).left == 0.0
    assert Standing("x", 1_000, done=0, seconds=10.0).left is None
    assert Standing("x", None, done=250, seconds=10.0).left is None
    text = progress_line(Standing("log", 1_000, 250, 10.0), 80).plain
    assert text.startswith("log  ━")
    assert text.endswith("250/1000  25/s  0:00:30 left")
    assert progress_line(Standing("log", 1_000, 1_000, 61.0), 80).plain.endswith("16/s  0:01:01")


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 200])
def test_the_count_and_the_time_are_whole_at_any_width(columns: int) -> None:
    state = "lag 12,345  HR@10 0.123  dead letters 77"
    text = progress_line(Standing("events at 200/s", 102_519, 9_999, 60.0, state), columns).plain
    assert "9999/102519" in text
    assert text.endswith("0:09:15 left")
    assert len(text) <= columns or columns < 42


def test_without_a_terminal_it_is_a_line_now_and_then() -> None:
    out, clock = StringIO(), Clock()
    console = Console(file=out, width=80)
    with StreamProgress(console, "log", 1_000, clock) as progress:
        for second in range(26):
            clock.now = float(second)
            progress.show(second * 40, 0, None)
    lines = out.getvalue().splitlines()
    assert [line.split("  ")[2] for line in lines] == ["400/1000", "800/1000", "1000/1000"]
    assert "\x1b" not in out.getvalue()


def test_one_kind_of_work_follows_the_other() -> None:
    out, clock = StringIO(), Clock()
    with watched(Console(file=out, width=80), clock) as moved:
        moved("rows read", 5_000, None)
        clock.now = 2.0
        moved("rows read", 9_000, None)
        moved("events written", 10, 20)
        moved("events written", 20, 20)
    first, second = out.getvalue().splitlines()
    assert first == "rows read  9000  4,500/s  0:00:02"
    assert second.startswith("events written  ━")
    assert "20/20" in second


def test_without_work_nothing_is_said() -> None:
    out = StringIO()
    with watched(Console(file=out)):
        pass
    assert out.getvalue() == ""


def test_on_a_terminal_it_leaves_one_line_with_the_cursor_shown() -> None:
    out = StringIO()
    console = Console(file=out, width=80, force_terminal=True, color_system=None)
    with StreamProgress(console, "log", 10) as progress:
        progress.show(10, 0, None)
    assert out.getvalue().endswith("\x1b[?25h")
    assert "10/10" in out.getvalue()
