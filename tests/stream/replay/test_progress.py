"""The bar as it is printed where there is no terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from stream.replay.progress import StreamProgress


def printed(done: int, behind: int, hr10: float | None, *, finish: bool = False) -> str:
    out = StringIO()
    with StreamProgress(Console(file=out, width=120), "catalogue", 1_500) as progress:
        progress.show(done, behind, hr10)
        if finish:
            progress.finish(hr10)
    return out.getvalue()


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
