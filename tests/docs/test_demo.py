"""`upwell demo`, which is `make demo`, with a log of its own that is short."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from stream.replay.log import LogRecord
from tests.e2e.engine import bundled_log

RATINGS = 120


def written(records: Sequence[LogRecord], path: Path) -> Path:
    lines = [
        orjson.dumps(
            {
                "topic": one.topic,
                "key": (one.key or b"").decode(),
                "value": orjson.loads(one.value),
            }
        )
        for one in records
    ]
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    return path


@pytest.mark.timeout(300)
def test_a_short_log_goes_through_and_is_reported(kafka: str, prefix: str, tmp_path: Path) -> None:
    items, events = bundled_log(RATINGS)
    log = written([*items, *events], tmp_path / "log.jsonl.gz")
    own = {"UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix, "UPWELL_DATA": str(tmp_path / "data")}
    upwell = Path(sys.executable).with_name("upwell")
    done = subprocess.run(
        [upwell, "demo", "--log", log, "--json"],
        cwd=tmp_path,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["events_in"] == len(items) + RATINGS
    assert (report["dead_letters"], report["bad_lines"], report["duplicates"]) == (0, 0, 0)
    assert 0 < report["lists_out"] <= RATINGS
    assert report["freshness_ms"]["lists"] > 0
    assert all(entry["why"] for entry in report["example"]["items"])
    assert "`upwell serve` opens a page on what was just replayed." in done.stderr
