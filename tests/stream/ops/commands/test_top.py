"""`upwell top` on a real broker where workers speak, one that is there, two, and none: as a page on
a terminal, as lines, as JSON.
"""

from __future__ import annotations

import json
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from stream.broker.topics import ensure_topics
from stream.ops.commands.manual import MANUAL
from tests.stream.ops.terminal import ESCAPE, STYLE, running, terminal
from tests.stream.ops.test_cli import one_line, upwell
from tests.stream.ops.top.records import QUALITY, SHOWN, learn, packed, serve
from upwell.events import Topic
from upwell.system.clock import now_ms

ALT_SCREEN, MAIN_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
SHOW_CURSOR, HIDE_CURSOR = b"\x1b[?25h", b"\x1b[?25l"


@pytest.fixture
def settings(kafka: str, prefix: str) -> dict[str, Any]:
    """Of a broker on which an engine has been."""
    ensure_topics(prefix, 1, {"bootstrap_servers": [kafka]})
    return {"UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix}


@contextmanager
def speaking(kafka: str, prefix: str, *names: str) -> Iterator[None]:
    """These workers and a learner, who say something ten times a second until the end."""
    over = threading.Event()

    def speak() -> None:
        with KafkaProducer(bootstrap_servers=kafka) as producer:
            number = 0
            while not over.wait(0.1):
                at, number = now_ms(), number + 1
                said = [serve(at, name, [0.016] * number, 4 * number, items=9) for name in names]
                for record in [*said, learn(at)]:
                    producer.send(prefix + Topic.METRICS, packed(record), partition=0)

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_one_look_as_json_and_as_a_page(
    kafka: str, prefix: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    with speaking(kafka, prefix, "serve-0", "serve-1"):
        as_json = upwell(tmp_path, "top", "--once", "--json", **settings)
        as_page = upwell(tmp_path, "top", "--once", **{**settings, "COLUMNS": "80"})
    assert (as_json.returncode, as_json.stderr) == (0, "")
    [line] = as_json.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    assert list(found) == list(MANUAL["top"].fields)
    assert [one["name"] for one in found["workers"]] == ["serve-0", "serve-1", "learn"]
    assert all(one["said_s"] < 5 for one in found["workers"])
    assert (as_page.returncode, as_page.stderr) == (0, "")
    assert f"Upwell at {kafka}" in as_page.stdout
    assert "\x1b" not in as_page.stdout
    assert max(map(len, as_page.stdout.splitlines())) <= 80


def test_where_nobody_speaks_it_says_what_to_start(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    done = upwell(tmp_path, "top", "--once", **settings)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Nobody speaks on" in done.stderr
    assert "`upwell run`" in done.stderr
    as_json = upwell(tmp_path, "top", "--once", "--json", **settings)
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["workers"] == []


def test_who_is_shown_as_json_and_as_tables(
    kafka: str, prefix: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    nobody = upwell(tmp_path, "fairness", "--json", **settings)
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "Nobody speaks on" in nobody.stderr
    with KafkaProducer(bootstrap_servers=kafka) as producer:
        for record in (serve(now_ms(), fairness=SHOWN), learn(now_ms(), groups=QUALITY)):
            producer.send(prefix + Topic.METRICS, packed(record), partition=0)
    as_json = upwell(tmp_path, "fairness", "--json", **settings)
    assert (as_json.returncode, as_json.stderr) == (0, "")
    assert json.loads(as_json.stdout) == {"workers": {"serve-0": SHOWN}, "quality": QUALITY} | {
        "quality_gaps": None
    }
    as_page = upwell(tmp_path, "fairness", **{**settings, "COLUMNS": "120"})
    assert (as_page.returncode, as_page.stderr) == (0, "")
    assert "serve-0: who is shown, of 1,234 lists" in as_page.stdout
    assert "\x1b" not in as_page.stdout


def test_a_prefix_where_no_engine_was_is_named(kafka: str, tmp_path: Path) -> None:
    done = upwell(tmp_path, "top", "--once", UPWELL_KAFKA=kafka, UPWELL_PREFIX="nobody-was-here.")
    assert done.returncode == 3
    line = one_line(done)
    assert "nobody-was-here.*" in line
    assert "UPWELL_PREFIX" in line


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_without_a_terminal_it_is_a_line_a_look_until_it_is_ended(
    words: Sequence[str], kafka: str, prefix: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    with (
        speaking(kafka, prefix, "serve-0"),
        running(tmp_path, ["top", "--every", "0.1", *words], **settings) as process,
    ):
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        rest, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == b"stopped\n"
    for line in [*lines, *rest.splitlines()]:
        assert ESCAPE not in line
        if words:
            assert json.loads(line)["workers"]
        else:
            assert b"events/s " in line
            assert b"serve-0" in line


def test_on_a_terminal_it_fits_follows_its_size_and_gives_it_back(
    kafka: str, prefix: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    with (
        speaking(kafka, prefix, "serve-0"),
        terminal(tmp_path, ["top", "--every", "0.1"], **settings) as screen,
    ):
        screen.until(b"events/s")
        screen.until(b"serve-0")
        assert ALT_SCREEN in screen.seen
        screen.resize(40, 30)
        screen.until(b"4.0 events a batch\x1b[0m   ")  # a line of its own, on a narrow screen
        screen.type(b"\x03")
        assert screen.to_the_end() == 130
    end = screen.seen[screen.seen.rindex(MAIN_SCREEN) :]
    assert screen.seen.rindex(SHOW_CURSOR) > screen.seen.rindex(HIDE_CURSOR)
    assert end.strip().endswith(b"stopped")
    assert b"Traceback" not in screen.seen


def test_a_page_waits_for_an_engine_that_is_being_started(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    own: dict[str, Any] = {"UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix}
    with terminal(tmp_path, ["top", "--every", "0.1"], **own) as screen:
        screen.until(b"Nobody speaks on")
        ensure_topics(prefix, 1, {"bootstrap_servers": [kafka]})
        with speaking(kafka, prefix, "serve-0"):
            screen.until(b"serve-0")
        screen.type(b"\x03")
        assert screen.to_the_end() == 130


def test_a_page_goes_on_as_soon_as_somebody_speaks(
    kafka: str, prefix: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    with terminal(tmp_path, ["top", "--every", "0.1"], **settings) as screen:
        screen.until(b"Nobody speaks on")
        with speaking(kafka, prefix, "serve-0"):
            screen.until(b"serve-0")
        screen.type(b"\x03")
        assert screen.to_the_end() == 130


def test_no_color_and_a_dumb_terminal(
    kafka: str, prefix: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    words = ["top", "--every", "0.1"]
    with speaking(kafka, prefix, "serve-0"):
        with terminal(tmp_path, words, **settings, NO_COLOR="1") as screen:
            screen.until(b"serve-0")
            screen.type(b"\x03")
            screen.to_the_end()
        assert re.findall(STYLE, screen.seen) == []
        with terminal(tmp_path, words, **settings, TERM="dumb") as screen:
            screen.until(b"serve-0")
            screen.type(b"\x03")
            screen.to_the_end()
        assert ESCAPE not in screen.seen
