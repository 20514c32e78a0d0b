"""Shared by the encoders' tests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The folder of a model of 32 dimensions."""
    from tests.encoders.tiny import tiny_model  # imported here, when the root's filters hold

    return tiny_model(tmp_path / "tiny")


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """What was said since the last call."""
    caplog.set_level(logging.WARNING, "upwell.encoder")

    def lines() -> list[str]:
        messages = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return messages

    yield lines
    assert lines() == []
