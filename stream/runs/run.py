"""A run that is tracked where `UPWELL_TRACK` says so, and costs nothing where it does not. What
cannot be written is said, and ends nothing: figures that were printed stand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType

from stream.runs.about import About, told
from stream.runs.figures import numbers
from stream.runs.kinds import curves, require
from stream.runs.port import Curves
from upwell.errors import SettingsError

__all__ = ["Run"]


class Run:
    """As a context: it ends with it. say: to people, not to standard output. clock: UTC seconds.
    Raises `SettingsError` at once where the package is missing; it is imported, and all that is
    told of a run gathered, with the first point.
    """

    def __init__(
        self,
        about: About,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._about, self._say, self._clock = about, say, clock
        self._to = about.settings.tracking.to
        self._curves: Curves | None = None
        self._described = self._said = False
        if self._to is not None:
            require(self._to)

    def point(self, step: int, figures: Mapping[str, float]) -> None:
        """Of curves."""
        if self._to is None:
            return
        try:
            self._opened(self._to).write(step, self._clock(), figures, {})
        except (OSError, SettingsError) as exc:
            self._tell(exc)

    def result(self, value: object, step: int = 0) -> None:
        """The numbers of what came of it, a JSON value. step: the last of its curves."""
        if self._to is not None:
            self.point(step, dict(numbers(value)))

    def part(self, name: str, options: Mapping[str, object]) -> Run:
        """One below this one, which ends by itself. options: its own."""
        about = replace(self._about, name=f"{self._about.name}/{name}", options=options)
        return Run(about, self._say, self._clock)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._curves is not None:
            try:
                self._curves.close(failed=kind is not None)
            except OSError as exc:
                self._tell(exc)

    def _opened(self, to: str) -> Curves:
        if self._curves is None:
            self._curves = curves(to, self._about.name)
        if not self._described:
            self._curves.describe(told(self._about), self._clock())
            self._described = True
        return self._curves

    def _tell(self, exc: Exception) -> None:
        """Once."""
        if not self._said:
            self._say(f"this run is not tracked in {self._to} ({exc}): what is printed stands")
        self._said = True
