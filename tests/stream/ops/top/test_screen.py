"""`upwell top` on screens of any size: all is there, nothing is cut, and silence is said in
words.
"""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from stream.ops.top.figures import report
from stream.ops.top.history import History
from stream.ops.top.screen import nobody, page, plain_line
from tests.stream.ops.top.records import learn, packed, serve

RUNNING = {
    "model": {"ndcg10": {"all": 0.0733}, "hr10": {"all": 0.136}},
    "transition_10": {"ndcg10": {"all": 0.0529}},
}


def busy(now: float = 0.4, workers: int = 2) -> dict[str, Any]:
    history = History()
    for at, events in ((0, 0), (10_000, 24_000)):
        for number in range(workers):
            history.take(
                packed(
                    serve(
                        at,
                        f"serve-{number}",
                        fresh=[0.016] * (at // 10),
                        events=events // workers,
                        lag={"reviews": 1_200, "clicks": 3},
                        dead_letters={"missing_field": 3, "truncated": 1},
                        model_version="102519-0f9d3c81",
                        model_at=1,
                        hot_users=610,
                        items=9_742,
                    )
                ),
                0.0,
            )
        history.take(
            packed(
                learn(
                    at,
                    model_examples=40,
                    candidates={"promote": 12, "superseded": 3, "roll_back": 0},
                    ruled={"verdict": "superseded", "examples": 310},
                    figures={"targets": {"all": 3_183}, "running": RUNNING},
                )
            ),
            0.0,
        )
    return report(history, now, 1_700_000_000_000)


def shown(found: dict[str, Any], columns: int = 80, rows: int = 24) -> list[str]:
    console = Console(file=io.StringIO(), width=columns, force_terminal=False)
    console.print(page(found, "at 127.0.0.1:9092, topics upwell.*", columns, rows))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_all_of_it_stands_on_a_small_terminal() -> None:
    lines = shown(busy())
    text = " ".join(" ".join(lines).split())
    for part in (
        "2,400 events/s",
        "200 lists/s",
        "4.0 events a batch",
        "p50 15 ms",
        "2,406 records · reviews 2,400 · clicks 6",
        "NDCG@10 0.0733 · best peer transition 10 0.0529",
        "3,183 targets",
        "promoted 12 · superseded 3 · rolled back 0",
        "last: superseded 310 examples ago",
        "102519-0f9d3c81",
        "10 s old",
        "missing_field 6 · truncated 2",
        "1,220 users in memory · 9,742 items",
        "serve-0 serve 0.4 s 0.50 512 MiB",
        "learn learn 0.4 s 1.00 300 MiB",
        "22:13:20 UTC",
    ):
        assert part in text
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 200])
def test_no_word_is_cut_at_any_width(columns: int) -> None:
    words = " ".join(shown(busy(), 300)).replace(" · ", " ").split()
    lines = shown(busy(), columns, 100)
    assert max(map(len, lines)) <= columns
    found = " ".join(lines).replace("·", " ").split()
    missing = [word for word in words if word not in found and word not in ("worker", "memory")]
    assert columns < 40 or [word for word in missing if word not in HEADS] == []


HEADS = {"role", "last", "word", "cpu"}
"""Of the table of workers, which on a narrow screen is none."""


def test_a_silent_worker_is_said_in_words() -> None:
    assert any("silent 42 s" in line for line in shown(busy(now=42.0)))
    assert "silent 42 s" in plain_line(busy(now=42.0))


def test_more_workers_than_lines_are_counted() -> None:
    lines = shown(busy(workers=30), rows=24)
    assert len(lines) <= 24
    assert lines[-1].startswith("and ")
    left = int(lines[-1].split()[1])
    assert left + sum(line.startswith(("serve-", "learn")) for line in lines) == 31


def test_two_engines_are_told_apart() -> None:
    found = busy()
    found["workers"][1]["engine"] = "shop-2"
    text = "\n".join(shown(found))
    assert "shop-1" in text
    assert "shop-2" in text
    assert "shop-1" not in "\n".join(shown(busy()))


def test_what_is_not_known_yet_is_said() -> None:
    history = History()
    history.take(packed(serve(0)), 0.0)
    text = " ".join(" ".join(shown(report(history, 0.0, 0))).split())
    for part in ("– events/s", "no target tested yet", "not taken over yet", "dead letters none"):
        assert part in text


def test_a_line_has_what_a_log_wants() -> None:
    line = plain_line(busy())
    for part in ("events/s 2,400", "lag 2,406", "p50 15 ms", "NDCG@10 0.0733", "dead letters 8"):
        assert part in line
    assert "\n" not in line


def test_a_name_writes_nowhere_else_on_the_terminal() -> None:
    history = History()
    history.take(packed(serve(0, "\x1b[2Jx")), 0.0)
    found = report(history, 0.0, 0)
    assert "\x1b" not in "".join(shown(found)) + plain_line(found)


def test_where_nobody_speaks_it_says_what_to_start() -> None:
    text = nobody("upwell.metrics", "127.0.0.1:9092")
    for part in ("Nobody speaks on upwell.metrics at 127.0.0.1:9092", "`upwell run`"):
        assert part in text
