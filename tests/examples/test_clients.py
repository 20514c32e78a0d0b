"""The programs of examples/ in other languages, each beside a real engine: a like and its list."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.partitioner.default import murmur2

from tests.e2e.gateway.door import ITEMS, Door, opened
from tests.gateway.served import OPERATOR

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
INSTALL_SECONDS = 180
MOST_LINES = 75
TITLES = {str(item["title"]) for item in ITEMS}


@dataclass(frozen=True)
class Client:
    """tools: programs it needs, and what installs them. install: brings its libraries."""

    program: str
    tools: tuple[str, ...]
    packages: str
    run: tuple[str, ...]
    install: tuple[str, ...] = ()


CLIENTS = {
    "asyncio": Client("click.py", (), "", (sys.executable, "click.py")),
    "javascript": Client(
        "click.js",
        ("node", "npm"),
        "nodejs npm",
        ("node", "click.js"),
        ("npm", "ci", "--no-audit", "--no-fund"),
    ),
    "go": Client("click.go", ("go",), "golang", ("./click",), ("go", "build", "-o", "click", ".")),
    "java": Client(
        "Click.java",
        ("javac", "mvn"),
        "openjdk-17-jdk-headless maven",
        ("java", "-cp", "jars/*", "Click.java"),
        ("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"),
    ),
    "curl": Client("click.sh", ("curl", "jq"), "curl jq", ("./click.sh",)),
}


@pytest.fixture(scope="module")
def door(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(kafka, tmp_path_factory.mktemp("engine")) as one:
        yield one


def ready(client: Client, language: str, folder: Path) -> Path:
    """The example in a folder of its own with its libraries; skipped where they cannot be had."""
    for tool in client.tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: apt-get install {client.packages}")
    copy = Path(shutil.copytree(EXAMPLES / language, folder / language))
    if client.install:
        try:
            subprocess.run(
                client.install, cwd=copy, capture_output=True, check=True, timeout=INSTALL_SECONDS
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as exc:
            said = ((exc.stdout or b"") + (exc.stderr or b""))[-300:].decode(errors="replace")
            pytest.skip(f"the libraries of examples/{language} cannot be had here: {said}")
    return copy


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "language",
    [pytest.param(one, marks=pytest.mark.slow) if one == "go" else one for one in CLIENTS],
)
def test_a_like_is_answered_by_its_list(door: Door, language: str, tmp_path: Path) -> None:
    client, user = CLIENTS[language], f"fan-of-{language}"
    copy = ready(client, language, tmp_path)
    kafka = door.engine.settings.kafka
    own = {
        "UPWELL_KAFKA": str(kafka.address),
        "UPWELL_PREFIX": kafka.prefix,
        "GATEWAY": str(door.client.base_url).rstrip("/"),
        "TOKEN": OPERATOR,
    }
    done = subprocess.run(
        [*client.run, user, "i3"],
        cwd=copy,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    titles, reasons = done.stdout.splitlines()[::2], done.stdout.splitlines()[1::2]
    assert len(titles) == len(reasons) > 0
    assert set(titles) <= TITLES - {ITEMS[3]["title"]}
    assert all(reason.startswith("    ") and reason.strip() for reason in reasons)
    place, partitions = where_the_like_is(door, user)
    assert place == (murmur2(user.encode()) & 0x7FFFFFFF) % partitions


def where_the_like_is(door: Door, user: str) -> tuple[int, int]:
    """The partition of this user's like, and how many `clicks` has."""
    topic = door.engine.settings.kafka.prefix + "clicks"
    with KafkaConsumer(
        topic, auto_offset_reset="earliest", group_id=None, **door.engine.client
    ) as consumer:
        while True:
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    if record.key == user.encode():
                        return record.partition, len(consumer.partitions_for_topic(topic) or ())


@pytest.mark.parametrize("language", CLIENTS)
def test_the_page_has_the_program_as_it_is(language: str) -> None:
    program = (EXAMPLES / language / CLIENTS[language].program).read_text()
    assert f"\n{program}```\n" in (ROOT / "docs" / "clients.md").read_text()
    assert len(program.splitlines()) <= MOST_LINES


def test_no_library_is_bound_to_a_registry() -> None:
    assert "resolved" not in (EXAMPLES / "javascript" / "package-lock.json").read_text()
