"""How a bench ends: what it found is one JSON object on the last line and, where `UPWELL_TRACK`
says so, a run beside others (docs/tracing.md).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from stream.runs.about import About, run_name
from stream.runs.run import Run
from upwell.errors import SettingsError
from upwell.settings import load_settings

__all__ = ["BenchRun"]

BENCH = Path(__file__).resolve().parents[1]


class BenchRun:
    """Made before anything is measured: it exits where a run could not be tracked, and nothing that
    the bench starts is told to draw curves of its own. script: the bench's file. data: the log or
    the folder that it reads, None where it draws its own.
    """

    def __init__(
        self, script: str, arguments: argparse.Namespace, data: Path | None = None
    ) -> None:
        name = "-".join(Path(script).resolve().relative_to(BENCH).with_suffix("").parts)
        try:
            settings = load_settings(os.environ, None)
            about = About(run_name(name, time.time()), vars(arguments), data, settings)
            self._run = Run(about, lambda words: print(words, file=sys.stderr))
        except SettingsError as exc:
            raise SystemExit(f"{name}: {exc}") from exc
        os.environ.pop("UPWELL_TRACK", None)

    def tell(self, result: Mapping[str, Any]) -> None:
        """The last line, before the run is written: that imports what draws it."""
        print(orjson.dumps(result).decode(), flush=True)
        with self._run:
            self._run.result(result)
