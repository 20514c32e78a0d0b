from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.replay.tuning.parts import split, split_log
from tests.stream.replay.tuning.logs import small_log, written
from upwell.errors import LogError
from upwell.events import Topic

LINES = small_log(40)


@given(st.permutations(range(len(LINES))), st.floats(0.05, 0.95))
def test_the_first_part_has_its_share_of_the_events_and_the_rest_all_else(
    order: list[int], share: float
) -> None:
    lines = [LINES[place] for place in order]
    parts = split(lines, share)
    assert [*parts.first, *parts.rest] == lines
    assert sum(line.topic is not Topic.ITEMS for line in parts.first) == int(40 * share)
    assert parts.rest[0].topic is not Topic.ITEMS  # an announcement between them comes before


def test_the_digest_is_of_the_first_part_alone() -> None:
    parts, other = split(LINES, 0.5), split(LINES[:-1], 0.52)
    assert len(parts.first) == len(other.first)
    assert parts.digest == other.digest
    assert parts.digest != split(LINES, 0.6).digest


def test_a_log_with_hardly_an_event_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(written(LINES) + "no record\n")
    assert len(split_log(tmp_path / "log.jsonl", 0.5).rest) == 20
    with pytest.raises(LogError, match="too few events"):
        split_log(tmp_path / "log.jsonl", 0.6)
