"""A thread that ends by an error tells its owner or ends the process, with its reason, whatever
kind of error it was.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from upwell.system.threads import UNEXPECTED_EXIT, start_thread

ENDED = """
import logging, threading
from upwell.system.threads import end_with_any_thread, start_thread
logging.basicConfig()
def work():
    raise {error}
{start}
threading.Event().wait()
"""
OWN = "start_thread('reader', work)"
LIBRARYS = "end_with_any_thread(); threading.Thread(target=work, name='reader').start()"


@pytest.mark.parametrize("error", [RuntimeError("gone"), KeyboardInterrupt("gone")])
def test_the_owner_is_told_what_ended_its_thread(error: BaseException) -> None:
    told: list[BaseException] = []

    def work() -> None:
        raise error

    start_thread("reader", work, told.append).join()
    assert told == [error]


def test_a_thread_that_comes_to_its_end_tells_nobody() -> None:
    told: list[BaseException] = []
    start_thread("reader", lambda: None, told.append).join()
    assert told == []


@pytest.mark.parametrize("start", [OWN, LIBRARYS])
@pytest.mark.parametrize("error", ["ValueError('gone')", "KeyboardInterrupt('gone')"])
def test_without_an_owner_the_process_ends_with_the_reason(start: str, error: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDED.format(start=start, error=error)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == UNEXPECTED_EXIT
    kind = error.partition("(")[0]
    assert f"the process ends with its thread reader: {kind}: gone" in done.stderr
    assert "in work" in done.stderr  # where it happened


def test_a_librarys_thread_may_end_itself_in_order() -> None:
    joined = LIBRARYS.replace(".start()", ".start(); print('goes on', flush=True)")
    code = ENDED.format(start=joined, error="SystemExit(3)").replace(".Event().wait()", "")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on\n", "")
