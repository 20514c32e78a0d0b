"""What is known of the engine's processes ends when they do."""

from __future__ import annotations

import orjson

from gateway.topics.figures import STALE_MS, Figures

SERVE = orjson.dumps({"instance": "serve-0", "role": "serve", "at": 1_000})


def test_a_process_that_says_nothing_any_more_is_gone() -> None:
    figures = Figures()
    assert figures.report(1_000) == {"serve": [], "learn": None}
    figures.take(SERVE)
    assert len(figures.report(1_000 + STALE_MS - 1)["serve"]) == 1
    assert figures.report(1_000 + STALE_MS)["serve"] == []
