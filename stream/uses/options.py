"""What a use's process is told at its start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from learner.release.folder import ModelsFolder
from stream.chain.privacy import Pseudonymizer
from upwell.ports import Encoder

__all__ = ["UseOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UseOptions:
    """folder: of the checkpoints. names: makes pseudonyms. checkpoint_events: how many between two
    checkpoints. figures_ms: between two records for `metrics`. show: told each of them, before it
    is sent.
    """

    prefix: str
    folder: ModelsFolder
    names: Pseudonymizer
    encoder: Encoder
    checkpoint_events: int = 2_000
    figures_ms: int = 1_000
    show: Callable[[bytes], None] = lambda _: None
    client: Mapping[str, Any] = field(default_factory=dict)
