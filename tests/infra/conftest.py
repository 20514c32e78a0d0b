"""Shared by the tests of the launcher: a machine with only the programs that a test gives it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from upwell.errors import BrokerError

OneLine = Callable[["pytest.ExceptionInfo[BrokerError]"], str]


@pytest.fixture
def only_in_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a shell script on an otherwise empty PATH."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    def put(name: str, script: str) -> None:
        program = programs / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    return put


@pytest.fixture
def one_line() -> OneLine:
    """The message of a fault, which is one line."""

    def message(error: pytest.ExceptionInfo[BrokerError]) -> str:
        assert "\n" not in str(error.value)
        return str(error.value)

    return message
