"""The slow loop by itself: fine-tune on what the topics hold, try the result beside the encoder in
force, and have it there where it is better.

Each round begins with the settings' encoder, so what users did is in the weights for as long as the
topics hold it, and who was forgotten is not in the next ones.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from encoders.adapt import Options
from stream.broker.encoders.topic import read_lineage
from stream.ops.encoder.service import conclude
from stream.ops.encoder.trial import compare, make_ready
from stream.replay.adaptation.comparison import Found
from stream.replay.adaptation.report import Report
from stream.replay.adaptation.run import Order, adapt_to
from stream.replay.adaptation.topics import taught
from upwell.client import client_options
from upwell.settings import Settings

__all__ = ["Round", "learn_once"]

_BEGUN = ".begun"
"""Beside a round's folder, with the prefix, until the round is over."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Round:
    """adapted: how the fine-tuning went. tried: what the trial found, None where nothing better
    than before was written. promoted: whether it is in force.
    """

    adapted: Report
    tried: Found | None
    promoted: bool

    def value(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def learn_once(settings: Settings, folder: Path, options: Options, now_ms: int, say: Say) -> Round:
    """One round; its model is a new folder in `folder`, which stays if it comes into force.

    Raises `LogError` where the topics hold too little, `EncoderError`, `SettingsError`,
    `BrokerError`. now_ms: UTC ms.
    """
    _clear(settings, folder)
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / datetime.fromtimestamp(now_ms / 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    begun = out.with_suffix(_BEGUN)
    begun.write_text(settings.kafka.prefix)
    done = _round(settings, out, options, now_ms, say)
    begun.unlink()  # of a round that failed the next one clears away what is not in force
    return done


def _round(settings: Settings, out: Path, options: Options, now_ms: int, say: Say) -> Round:
    history = partial(taught, settings.kafka, now_ms)
    report = adapt_to(history, Order(out, options), settings.encoder, say)
    if report.folder is None:
        say("nothing better came of it")
        return Round(report, None, False)
    ready = make_ready(settings, report.folder, say)
    found = compare(settings, ready, follow=False, say=say)
    promoted = conclude(settings, ready, found, True, now_ms)
    if not promoted:
        shutil.rmtree(out)
    return Round(report, found, promoted)


def _clear(settings: Settings, folder: Path) -> None:
    """Away with the models of rounds on this prefix that failed or were killed before they came
    into force; other engines may have theirs in the same folder.
    """
    lineage = read_lineage(client_options(settings.kafka), settings.kafka.prefix)
    kept = {one.model for one in (lineage.in_force, *lineage.earlier) if one is not None}
    for begun in folder.glob(f"*{_BEGUN}"):
        if begun.read_text() == settings.kafka.prefix:
            left = begun.with_suffix("")
            if left.is_dir() and str(left.resolve()) not in kept:
                shutil.rmtree(left)
            begun.unlink()
