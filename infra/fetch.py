"""Apache Kafka's jars: fetched once by Maven into a cache of the user's, whole or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from infra.java import find_maven
from upwell.errors import BrokerError
from upwell.system.files import cache_folder
from upwell.system.lock import lock

__all__ = ["KAFKA_VERSION", "cache_folder", "fetch_kafka"]

KAFKA_VERSION = "4.3.1"
FETCH_SECONDS = 900.0
MAX_WHY = 300
_POM = Path(__file__).parent / "pom.xml"


def fetch_kafka(cache: Path) -> Path:
    """The folder of Kafka's jars, fetched when it is not there yet. Processes that come at the same
    time wait for one fetch.

    Raises `BrokerError` saying what to do.
    """
    jars = cache / f"kafka-{KAFKA_VERSION}"
    if jars.is_dir():
        return jars
    maven = find_maven()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        descriptor = lock(cache / "kafka.lock")
        try:
            if not jars.is_dir():
                _fetch(maven, cache / "kafka.fetching", jars)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise BrokerError(
            f"cannot keep Kafka's jars in {cache}: {exc.strerror}; make room there, or set "
            "UPWELL_CACHE"
        ) from exc
    return jars


def _fetch(maven: str, scratch: Path, jars: Path) -> None:
    shutil.rmtree(scratch, ignore_errors=True)  # what a killed fetch has left
    scratch.mkdir()
    try:
        shutil.copy(_POM, scratch / "pom.xml")
        _run_maven(maven, scratch)
        (scratch / "jars").rename(jars)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _run_maven(maven: str, scratch: Path) -> None:
    """Into `scratch/jars`.

    Checksums are strict: a jar that came damaged is an error, not a warning.
    """
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=jars"]
    command = [maven, "--quiet", "--batch-mode", "--strict-checksums", "-Dstyle.color=never", *goal]
    try:
        done = subprocess.run(
            command,
            cwd=scratch,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=FETCH_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as exc:
        raise BrokerError(
            f"Maven did not fetch Apache Kafka {KAFKA_VERSION} within {FETCH_SECONDS:.0f} "
            f"s; {_mend()}"
        ) from exc
    if done.returncode != 0 or not any((scratch / "jars").glob("kafka_*.jar")):
        lines = [
            line.removeprefix("[ERROR] ")
            for line in (done.stdout + done.stderr).splitlines()
            if line.strip()
        ]
        why = lines[0][:MAX_WHY] if lines else "it gave no jars"
        raise BrokerError(f"Maven could not fetch Apache Kafka {KAFKA_VERSION}: {why}; {_mend()}")


def _mend() -> str:
    return (
        "check the network and Maven's settings.xml (mirror, proxy), or name your own broker "
        "in UPWELL_KAFKA"
    )
