"""`upwell explain` as a person and as a script meet it: no broker is asked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from stream.explain.evidence import FOLDER
from stream.explain.packed import pack_entries, unpack_entries
from tests.stream.explain.engine import long_log, recorded, settings
from tests.stream.ops.commands.test_json import said
from tests.stream.ops.test_cli import upwell


def test_it_tells_the_same_list_and_ends_with_a_code_where_it_is_not(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with recorded(data / FOLDER, settings(explore=0.0)) as engine:
        for _ in engine.play(long_log(70)[:-7]):
            pass
    words = ("explain", "newest", "--most", "100", "--json")
    done = upwell(tmp_path, *words, UPWELL_DATA=str(data))
    assert done.returncode == 0, done.stderr
    told = said(done, "explain")
    assert (told["same"], told["differs"]) == (True, [])
    assert "made again: the same" in done.stderr
    assert repr(told["items"][0]["score"])[:8] in done.stderr
    _falsify(data / FOLDER / "serve-0.sqlite3", told["list_id"])
    done = upwell(tmp_path, *words, UPWELL_DATA=str(data))
    assert done.returncode == 7
    told = said(done, "explain")
    assert [one["place"] for one in told["differs"]] == [1]
    assert told["counterfactual"] is None
    assert "not the same list" in done.stderr
    nothing = upwell(tmp_path, "explain", "newest", UPWELL_DATA=str(tmp_path / "none"))
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "UPWELL_EXPLAIN" in nothing.stderr


def _falsify(path: Path, list_id: str) -> None:
    """The published list said another score at its first place."""
    with closing(sqlite3.connect(path)) as db, db:
        [(packed,)] = db.execute("SELECT entries FROM lists WHERE list_id = ?", (list_id,))
        first, *others = unpack_entries(packed)
        wrong = (replace(first, score=first.score + 1e-12), *others)
        db.execute("UPDATE lists SET entries = ? WHERE list_id = ?", (pack_entries(wrong), list_id))
