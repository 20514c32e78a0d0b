"""What commands print on terminals that want no colours, and on those that can show none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.stream.ops.terminal import ESCAPE, STYLE, terminal
from tests.stream.ops.test_cli import LINE
from tests.stream.ops.test_snapshot import settings  # noqa: F401
from upwell.settings import Settings

COMMANDS = [
    ("watch", "--user", "[red]"),  # a fault
    ("doctor", "--settings"),
    ("import", "movielens", "ratings.csv", "--out", "log.jsonl.gz"),
    ("evaluate", "log.jsonl", "--policy", "popularity"),
    ("nonsense",),
]
ON_A_BROKER = [("replay", "log.jsonl"), ("dead-letters", "list"), ("snapshot", "taken")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "log.jsonl").write_text(LINE)
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,2,4,964982703\n")
    return tmp_path


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_style_where_none_is_wanted(words: tuple[str, ...], folder: Path) -> None:
    assert re.findall(STYLE, seen(folder, words, NO_COLOR="1")) == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_escape_code_where_none_can_be_shown(words: tuple[str, ...], folder: Path) -> None:
    assert ESCAPE not in seen(folder, words, TERM="dumb")


@pytest.mark.parametrize("words", ON_A_BROKER, ids=" ".join)
def test_nor_of_commands_beside_a_broker(
    words: tuple[str, ...],
    folder: Path,
    settings: Settings,  # noqa: F811
) -> None:
    own: dict[str, Any] = {
        "UPWELL_KAFKA": settings.kafka.address or "",
        "UPWELL_PREFIX": settings.kafka.prefix,
        "UPWELL_PARTITIONS": "1",
        "UPWELL_DATA": str(settings.data),
    }
    assert re.findall(STYLE, seen(folder, words, NO_COLOR="1", **own)) == []
    if words[0] != "snapshot":  # it is there now
        assert ESCAPE not in seen(folder, words, TERM="dumb", **own)


def test_a_fault_is_red_where_nobody_minds(folder: Path) -> None:
    assert re.findall(STYLE, seen(folder, ("watch",))) != []


def seen(folder: Path, words: tuple[str, ...], **variables: Any) -> bytes:
    with terminal(folder, words, **variables) as screen:
        screen.to_the_end()
    assert screen.seen.strip()
    assert b"Traceback" not in screen.seen
    return screen.seen
