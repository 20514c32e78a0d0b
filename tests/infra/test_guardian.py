"""The guardian: its command lives no longer than the pipe, is asked before it is killed, and its
end is passed on.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra import guardian

ASKED = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); print('up', "
    "flush=True); signal.pause()"
)
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); "
    "[signal.pause() for _ in iter(int, 1)]"
)
DEADLINE_SECONDS = 60.0


def guard(code: str, grace: float = 60.0, announcement: str = "") -> subprocess.Popen[bytes]:
    command = guarded(code, grace, announcement)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def guarded(code: str, grace: float = 60.0, announcement: str = "") -> list[str]:
    return [
        sys.executable,
        "-I",
        "-S",
        guardian.__file__,
        str(grace),
        announcement,
        sys.executable,
        "-c",
        code,
    ]


def test_the_end_of_the_pipe_asks_the_command_to_end(tmp_path: Path) -> None:
    announcement = tmp_path / "broker.json"
    announcement.touch()
    with guard(ASKED, announcement=str(announcement)) as process:
        process.communicate(b"what stands in the pipe does not matter", timeout=DEADLINE_SECONDS)
    assert process.returncode == 7
    assert not announcement.exists()


def test_a_pipe_that_cannot_be_read_ends_the_command_too(tmp_path: Path) -> None:
    """It may be asked before it listens."""
    with (tmp_path / "unreadable").open("wb") as unreadable:
        done = subprocess.run(
            guarded(ASKED), stdin=unreadable, check=False, timeout=DEADLINE_SECONDS
        )
    assert done.returncode in (7, 128 + signal.SIGTERM)


def test_sigterm_asks_the_command_to_end() -> None:
    with guard(ASKED) as process:
        process.terminate()
        assert process.wait(DEADLINE_SECONDS) == 7


def test_a_command_that_does_not_listen_is_killed() -> None:
    with guard(DEAF, grace=0.1) as process:
        process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 128 + signal.SIGKILL


@pytest.mark.parametrize("code", [0, 3])
def test_the_commands_own_end_is_passed_on(code: int) -> None:
    with guard(f"print('up', flush=True); raise SystemExit({code})") as process:
        assert process.wait(DEADLINE_SECONDS) == code
