"""What the broker needs of the machine: Java 17 or newer, and Maven for its first start."""

from __future__ import annotations

import re
import shutil
import subprocess

from upwell.errors import BrokerError

__all__ = ["INSTALL_LINE", "find_java", "find_maven"]

INSTALL_LINE = "apt-get install openjdk-17-jre-headless maven"
MIN_JAVA = 17
_VERSION = re.compile(r'version "(\d+)')


def find_java() -> str:
    """The path of a java that is new enough. Raises `BrokerError` with the line that installs it."""
    java = shutil.which("java")
    if java is None:
        raise BrokerError(f"no java found: Kafka needs Java {MIN_JAVA} or newer: {INSTALL_LINE}; or name your own broker in UPWELL_KAFKA")
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = _VERSION.search(answer.stderr + answer.stdout)
    if found is None or int(found[1]) < MIN_JAVA:
        version = found[1] if found else "of an unknown version"
        raise BrokerError(f"{java} is {version}: Kafka needs Java {MIN_JAVA} or newer: {INSTALL_LINE}")
    return java


def find_maven() -> str:
    """The path of mvn. Raises `BrokerError` with the line that installs it."""
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerError(f"no mvn found: Kafka's jars come by Maven: {INSTALL_LINE}; or name your own broker in UPWELL_KAFKA")
    return maven
