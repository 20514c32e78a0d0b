"""Shared by the encoders' tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The folder of a model of 32 dimensions."""
    from tests.encoders.tiny import tiny_model  # imported here, when the root's filters hold

    return tiny_model(tmp_path / "tiny")
