"""A log of one's own in the place of what a recipe draws."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.replay.log import LogRecord, read_log
from stream.replay.recipes.folder import find
from stream.replay.recipes.recipe import Asked
from tests.recipes.streams import LOG, played


@pytest.mark.parametrize("name", ["music", "news", "shop"])
def test_it_is_played_in_its_order_with_what_nobody_took(name: str, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(LOG)
    source = find(name).read(Asked(log, None, 7))
    assert source.said == "recorded: the first events of log.jsonl"
    assert source.records == [one for one in read_log(log) if isinstance(one, LogRecord)]
    assert played(name, source)["Upwell"] > 0.0
