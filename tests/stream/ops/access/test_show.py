"""An export for people: what there is and how much of it, an app's words as they are; and in plain
words that nothing is held.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from stream.ops.access.show import show_export

EMPTY: dict[str, Any] = {
    "user_id": "[bold]ann\x1b",
    "pseudonym": "a" * 32,
    "held": False,
    "forgotten_ms": None,
    "store": "the store in data/store",
    "state": None,
    "guests": {"ids": [], "states": {}},
    "learner": {"checkpoint": None, "examples_learned": 0, "windows": []},
    "uses": {},
    "kept_lists": [],
    "newest_list": None,
    "topics": {"clicks": {"count": 0, "oldest_ms": None, "newest_ms": None}},
    "not_in_here": ["weights"],
}
STATE: dict[str, Any] = {
    "events": 1_234,
    "history": [
        {"ts": n, "kind": "review", "rating": 4.5, "item_id": f"[red]i{n}"} for n in range(12)
    ],
    "had": ["i"],
    "impressions": [],
    "pending": [],
    "intent": [0.0] * 4,
    "merged": {},
}


def shown(found: dict[str, Any], width: int = 120) -> str:
    out = StringIO()
    show_export(found, Console(file=out, width=width))
    return out.getvalue()


def test_that_nothing_is_held_is_said_with_where_was_looked() -> None:
    said = shown(EMPTY)
    assert "nothing is held of [bold]ann�; looked at:" in said
    assert "- no checkpoint of learn yet" in said
    assert "- the topics clicks" in said
    again = shown({**EMPTY, "forgotten_ms": 1_700_000_000_000})
    assert "was forgotten on 2023-11-14 22:13:20" in again


def test_what_is_held_is_counted_by_place() -> None:
    found = {
        **EMPTY,
        "held": True,
        "state": STATE,
        "guests": {"ids": ["v"], "states": {"b" * 32: None}},
        "uses": {
            "desk": {"checkpoint": "7-c.json", "kept": [{"text": "x"}] * 4},
            "watch": {"checkpoint": None, "kept": []},
        },
        "kept_lists": [{"list_id": "l", "at": 1}],
        "newest_list": {"items": [{"item_id": "[red]x"}]},
        "topics": {"clicks": {"count": 3, "oldest_ms": 0, "newest_ms": 10**15}},
    }
    for width in (40, 120):
        said = " ".join(shown(found, width).split())
        assert "1,234" in said
        assert "4 of what was said" in said
        assert "none yet" in said
        assert "[red]i11" in said
        assert "[red]i1 " not in said, "the newest ten"
        assert "newest list: [red]x" in said
        assert "no state" in said
    assert "3 records" in shown(found)
    assert "1 lists, and what they were made of" in shown(found)
