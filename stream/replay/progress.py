"""One line of progress: how many events, how fast, how far behind, and how good the lists are right
now.
"""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

__all__ = ["StreamProgress"]


class _Rate(ProgressColumn):
    """Events a second since the start of the stage."""

    def render(self, task: Task) -> Text:
        elapsed = task.finished_time or task.elapsed
        return Text(f"{task.completed / elapsed:,.0f}/s" if elapsed else "", style="cyan")


class StreamProgress:
    """A progress bar on `console`; plain text where that is no terminal."""

    def __init__(self, console: Console, name: str, total: int) -> None:
        self._progress = Progress(
            TextColumn(f"{name:<18}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            _Rate(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._progress.add_task(name, total=total, state="")
        self._total = total

    def __enter__(self) -> StreamProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, done: int, behind: int, hr10: float | None, letters: int = 0) -> None:
        """done: events served. behind: appended but not served yet. hr10: the running HR@10 of the
        learner's own tests. letters: dead letters so far.
        """
        quality = "" if hr10 is None else f"HR@10 {hr10:.3f}"
        self._progress.update(
            self._task,
            completed=max(min(done, self._total), 0),
            state=f"lag {max(behind, 0):,}  {quality}{f'dead letters {letters:,}' * bool(letters)}",
        )

    def finish(self, hr10: float | None) -> None:
        """All is through. hr10: hits among the first ten, of the targets."""
        self.show(self._total, 0, hr10)
