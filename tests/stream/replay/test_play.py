"""`upwell replay` on a real broker: what was sent is counted, what is no record is told."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from stream.broker.lag import Lag
from stream.broker.topics import ensure_topics
from stream.replay.play import play_log
from stream.replay.player import Pace
from upwell.client import client_options
from upwell.settings import KafkaSettings, Settings

LINE = (
    '{"topic": "queries", "key": "%s", "value": {"event_id": "%s", "ts": 1, "user_id": "%s", '
    '"text": "a"}}\n'
)
LOG = (
    LINE % ("ann", "e1", "ann") + '{"topic": "[red]", "value": {}}\n' + LINE % ("bob", "e2", "bob")
)


def test_all_good_lines_are_on_the_topics_and_the_bad_one_is_told(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    settings = Settings(kafka=KafkaSettings(address=kafka, prefix=prefix))
    options = client_options(settings.kafka)
    ensure_topics(prefix, 2, options)
    log = tmp_path / "log.jsonl"
    log.write_text(LOG)
    out = StringIO()
    done = play_log(settings, log, Pace(), Console(file=out, width=200))
    assert (done["sent"], done["bad_lines"]) == (2, 1)
    assert "log.jsonl: line 2" in out.getvalue()
    with Lag(options, prefix) as lag:
        assert lag.behind() == 2
