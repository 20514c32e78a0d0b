"""Whose a process is."""

from __future__ import annotations

import pytest

from bench.speed.idle import role_of


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("python -m upwell run", "run"),
        ("python -m upwell worker serve", "serve"),
        ("python -m upwell worker learn --alone", "learn"),
        ("/usr/bin/java -Xmx256m kafka.Kafka server.properties", "broker"),
        ("python /somewhere/infra/guardian.py 7 java", "guardian"),
        ("python -c pass", "other"),
    ],
)
def test_a_process_is_named_by_its_command(command: str, role: str) -> None:
    assert role_of(command.split()) == role
