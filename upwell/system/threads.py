"""Threads that cannot die in silence: one that ends by an error tells its owner, or ends the
process with its reason.

A library that runs in somebody's app tells the owner, who raises in the next call; a worker under a
supervisor ends, and is started again.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import NoReturn

from upwell.system.exit_codes import ExitCode

__all__ = ["UNEXPECTED_EXIT", "end_process", "end_with_any_thread", "given_up", "start_thread"]

UNEXPECTED_EXIT = ExitCode.UNFORESEEN


def _never() -> bool:
    return False


given_up: ContextVar[Callable[[], bool]] = ContextVar("given_up", default=_never)
"""Whether whoever asked for what is done here has gone: who waits for long looks at it now and
then, so that a thread can be called back.
"""

log = logging.getLogger("upwell")


def start_thread(
    name: str,
    work: Callable[[], None],
    failed: Callable[[BaseException], None] | None = None,
) -> threading.Thread:
    """A running daemon thread that does `work`.

    failed: is told on that thread what ended it, of whatever kind; without it the process ends.
    """

    def run() -> None:
        try:
            work()
        except BaseException as exc:
            if failed is None:
                _end_by(name, exc)
            failed(exc)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def end_with_any_thread() -> None:
    """For a worker process, once: any thread that ends by an error ends the process, a library's
    own threads too.
    """
    threading.excepthook = _on_lost_thread


def end_process(why: str, code: int) -> NoReturn:
    """At once, from any thread, with nothing more acknowledged, saved or sent."""
    log.error("%s", why)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


def _on_lost_thread(lost: threading.ExceptHookArgs) -> None:
    if lost.exc_value is not None and not isinstance(lost.exc_value, SystemExit):
        _end_by(lost.thread.name if lost.thread is not None else "unknown", lost.exc_value)


def _end_by(name: str, exc: BaseException) -> NoReturn:
    log.error("thread %s ended by an error", name, exc_info=exc)
    reason = f"{type(exc).__name__}: {exc}"
    end_process(f"the process ends with its thread {name}: {reason}", UNEXPECTED_EXIT)
