"""What the broker needs of the machine: Java 17 or newer, and Maven for its first start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from upwell.errors import BrokerError

__all__ = ["INSTALL_LINE", "find_java", "find_maven"]

INSTALL_LINE = "apt-get install openjdk-17-jre-headless maven"
MIN_JAVA = 17
ANSWER_SECONDS = 60.0
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


def find_java() -> str:
    """The path of a java that is new enough: JAVA_HOME's, else the first on the PATH.

    Raises `BrokerError` with the line that installs it.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java")
    if java is None:
        where = f"in JAVA_HOME ({home})" if home else "on the PATH"
        raise BrokerError(
            f"no java found {where}: Kafka needs Java {MIN_JAVA} or newer: {INSTALL_LINE}; "
            "or name your own broker in UPWELL_KAFKA"
        )
    version = _version(java)
    if version < MIN_JAVA:
        raise BrokerError(
            f"{java} is Java {version}: Kafka needs Java {MIN_JAVA} or newer: "
            f"{INSTALL_LINE}; or set JAVA_HOME to a newer one"
        )
    return java


def find_maven() -> str:
    """The path of mvn. Raises `BrokerError` with the line that installs it."""
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerError(
            f"no mvn found on the PATH: Kafka's jars come by Maven: {INSTALL_LINE}; or name "
            "your own broker in UPWELL_KAFKA"
        )
    return maven


def _version(java: str) -> int:
    try:
        answer = subprocess.run(
            [java, "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise BrokerError(f"{java} cannot be run ({exc}): {INSTALL_LINE}") from exc
    found = _VERSION.search(answer.stderr + answer.stdout)
    if found is None:
        said = (answer.stderr + answer.stdout).strip().splitlines()
        raise BrokerError(
            f"{java} does not tell its version ({said[0] if said else 'it says nothing'}): "
            f"{INSTALL_LINE}"
        )
    return int(found[1])
