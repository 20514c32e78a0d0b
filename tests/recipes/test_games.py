"""The recipe `games`: a log of one's own, and nothing in its place where none is named."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from stream.replay.recipes.folder import find
from stream.replay.recipes.recipe import Asked
from tests.recipes.streams import played
from upwell.errors import LogError

T0 = 1_700_000_000_000


def test_without_a_log_it_says_what_is_needed_and_where_it_is_found() -> None:
    with pytest.raises(LogError, match=r"--data FILE; Steam's .*https://.*docs/uses/games.md"):
        find("games").read(Asked(None, None, 7))


def test_a_log_of_reviews_is_played(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    games = [{"item_id": f"g{n}", "ts": T0, "title": f"G {n}"} for n in range(30)]
    lines: list[object] = [{"topic": "items", "key": one["item_id"], "value": one} for one in games]
    for n in range(1, 300):
        user, item = f"u{n // 5}", f"g{(n // 5 + n % 5) % 20}"
        value = {
            "event_id": f"e{n}",
            "ts": T0 + 60_000 * n,
            "user_id": user,
            "item_id": item,
            "rating": 5,
        }
        lines.append({"topic": "reviews", "key": user, "value": value})
    log.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    source = find("games").read(Asked(log, 250, 7))
    assert source.said == "recorded: the first reviews of log.jsonl"
    assert len(source.records) == 20 + 250
    worth = played("games", source)
    assert list(worth) == ["Upwell", "popular, 90 days", "item-kNN"]
    assert worth["Upwell"] > 0.1
