"""Children are started, restarted and ended with the supervisor, however it goes.

The children are tiny scripts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from stream.ops import supervise
from stream.ops.supervise import MAX_RESTARTS, ROLES, Supervisor
from upwell.errors import SettingsError, UpwellError
from upwell.system.threads import UNEXPECTED_EXIT

ROOT = Path(__file__).parents[3]
DEADLINE_SECONDS = 60.0

QUIET_CHILD = """
import signal, sys
from stream.ops.supervise import end_with_parent
def end(*_):
    print("ended in order", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
end_with_parent()
while True:
    signal.pause()
"""
SUPERVISOR = """
import os, sys
from pathlib import Path
from stream.ops.supervise import Supervisor
with Supervisor([sys.executable, sys.argv[1]], os.environ, Path(sys.argv[2])) as supervisor:
    supervisor.watch(until=lambda: False)
"""


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between restarts pass a hundred times as fast, and no fall is forgotten."""
    monkeypatch.setattr(
        supervise,
        "time",
        SimpleNamespace(monotonic=lambda: time.monotonic() * 100, sleep=time.sleep),
    )
    monkeypatch.setattr(supervise, "QUIET_SECONDS", 1e9)
    monkeypatch.setattr(supervise, "STOP_SECONDS", DEADLINE_SECONDS * 100)


def until(done: Callable[[], bool]) -> None:
    """Wait for what must come; a failure after the deadline."""
    deadline, pause = time.monotonic() + DEADLINE_SECONDS, threading.Event()
    while not done():
        assert time.monotonic() < deadline, "what was waited for did not come"
        pause.wait(0.02)


def python_child(folder: Path, code: str) -> list[str]:
    script = folder / "child.py"
    script.write_text(code)
    return [sys.executable, str(script)]


def environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def shell_child(folder: Path, code: str) -> list[str]:
    """`code` knows its role as $1."""
    script = folder / "child.sh"
    script.write_text(code)
    return ["/bin/sh", str(script)]


def said(logs: Path, role: str) -> list[str]:
    path = logs / f"{role}.log"
    return path.read_text().splitlines() if path.exists() else []


def test_each_role_runs_and_is_asked_to_end(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    with Supervisor(python_child(tmp_path, QUIET_CHILD), environ(), logs) as supervisor:
        until(lambda: all(said(logs, role) == ["up"] for role in ROLES))
        supervisor.check()
        pids = supervisor.pids
    assert list(pids) == list(ROLES)
    assert [said(logs, role) for role in ROLES] == [["up", "ended in order"]] * 2
    supervisor.stop()  # a second time is none too many


def test_a_child_that_falls_is_started_again_and_the_other_left_alone(
    tmp_path: Path, hurried: None
) -> None:
    logs = tmp_path / "logs"
    with Supervisor(python_child(tmp_path, QUIET_CHILD), environ(), logs) as supervisor:
        until(lambda: all(said(logs, role) == ["up"] for role in ROLES))
        before = supervisor.pids
        os.kill(before["serve"], signal.SIGKILL)
        supervisor.watch(until=lambda: supervisor.pids["serve"] != before["serve"])
        until(lambda: said(logs, "serve") == ["up", "up"])
        assert supervisor.pids["learn"] == before["learn"]
    assert said(logs, "learn") == ["up", "ended in order"]


def test_a_child_that_falls_again_and_again_ends_the_run_with_its_last_words(
    tmp_path: Path, hurried: None
) -> None:
    logs = tmp_path / "logs"
    command = shell_child(
        tmp_path, 'if [ "$1" = serve ]; then echo "the store is torn" >&2; exit 4; fi; exec cat'
    )
    with (
        pytest.raises(
            UpwellError,
            match=r"serve ended with exit code 4, 6 times.*not started again: the store is torn "
            r"\(all of it: .*serve\.log\)",
        ),
        Supervisor(command, os.environ, logs) as supervisor,
    ):
        supervisor.watch(until=lambda: False)
    assert said(logs, "serve") == ["the store is torn"] * (MAX_RESTARTS + 1)


def test_a_fall_by_a_signal_is_named(tmp_path: Path, hurried: None) -> None:
    command = shell_child(tmp_path, 'if [ "$1" = learn ]; then kill -9 $$; fi; exec cat')
    with (
        pytest.raises(UpwellError, match=r"learn ended by signal 9.*it said nothing"),
        Supervisor(command, os.environ, tmp_path) as one,
    ):
        one.watch(until=lambda: False)


def test_wrong_settings_are_not_tried_again(tmp_path: Path) -> None:
    command = shell_child(
        tmp_path, 'if [ "$1" = serve ]; then echo "unknown variable"; exit 2; fi; exec cat'
    )
    with (
        pytest.raises(
            SettingsError,
            match=r"serve ended with exit code 2, 1 times.*not started again: unknown variable",
        ),
        Supervisor(command, os.environ, tmp_path) as supervisor,
    ):
        supervisor.watch(until=lambda: False)
    assert said(tmp_path, "serve") == ["unknown variable"]


def test_the_first_child_does_not_stay_when_the_second_cannot_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = Supervisor(shell_child(tmp_path, "exec cat"), os.environ, tmp_path)
    spawn, pids = supervisor._popen, []

    def second_fails(command: Sequence[str], output: IO[bytes] | None) -> subprocess.Popen[bytes]:
        if command[-1] == ROLES[1]:
            raise FileNotFoundError(2, "No such file or directory")
        process = spawn(command, output)
        pids.append(process.pid)
        return process

    monkeypatch.setattr(supervisor, "_popen", second_fails)
    with pytest.raises(UpwellError, match="learn cannot be started: /bin/sh: No such file"):
        supervisor.__enter__()
    (pid,) = pids
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_only_the_roles_that_are_to_run_here_do(tmp_path: Path) -> None:
    command = python_child(tmp_path, QUIET_CHILD)
    with Supervisor(command, environ(), tmp_path, ("serve",)) as supervisor:
        until(lambda: said(tmp_path, "serve") == ["up"])
        assert list(supervisor.pids) == ["serve"]
    assert said(tmp_path, "learn") == []


@pytest.mark.parametrize("alone", [True, False])
def test_a_learner_is_alone_at_the_start_and_waits_when_it_is_started_again(
    tmp_path: Path, hurried: None, alone: bool
) -> None:
    command = shell_child(tmp_path, 'echo "$@"; exec cat')
    with Supervisor(command, os.environ, tmp_path, alone=alone) as supervisor:
        first = "learn --alone" if alone else "learn"
        until(lambda: [said(tmp_path, role) for role in ROLES] == [["serve"], [first]])
        for role in ROLES:
            os.kill(supervisor.pids[role], signal.SIGKILL)
        supervisor.watch(until=lambda: all(len(said(tmp_path, role)) == 2 for role in ROLES))
    assert [said(tmp_path, role)[1] for role in ROLES] == ["serve", "learn"]


def test_falls_of_long_ago_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(
        supervise, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=time.sleep)
    )
    command = shell_child(tmp_path, 'if [ "$1" = serve ]; then echo fell; exit 4; fi; exec cat')

    def fallen_often() -> bool:
        clock.now += supervise.QUIET_SECONDS + 1
        return len(said(tmp_path, "serve")) > MAX_RESTARTS + 3

    with Supervisor(command, os.environ, tmp_path) as supervisor:
        learn = supervisor.pids["learn"]
        supervisor.watch(until=fallen_often)
        assert supervisor.pids["learn"] == learn  # which did not fall, and was left alone
    assert said(tmp_path, "serve") == ["fell"] * len(said(tmp_path, "serve"))


def test_a_child_that_does_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "STOP_SECONDS", 0.1)
    command = python_child(
        tmp_path,
        "import signal\nsignal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)\nwhile "
        "True: signal.pause()",
    )
    with Supervisor(command, os.environ, tmp_path) as supervisor:
        until(lambda: all(said(tmp_path, role) == ["up"] for role in ROLES))
        pids = supervisor.pids
    for pid in pids.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_children_end_in_order_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    child = python_child(tmp_path, QUIET_CHILD)[1]
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, child, str(logs)], env=environ(), cwd=ROOT
    ) as supervisor:
        until(lambda: all(said(logs, role) == ["up"] for role in ROLES))
        supervisor.kill()
    until(lambda: all(said(logs, role) == ["up", "ended in order"] for role in ROLES))


def test_a_child_whose_parent_cannot_be_watched_ends_with_the_reason(tmp_path: Path) -> None:
    command = python_child(tmp_path, QUIET_CHILD)
    with (tmp_path / "unreadable").open("wb") as unreadable:
        done = subprocess.run(
            command,
            stdin=unreadable,
            capture_output=True,
            text=True,
            env=environ(),
            check=False,
            timeout=DEADLINE_SECONDS,
        )
    assert done.returncode == UNEXPECTED_EXIT
    assert "thread parent: OSError: [Errno 9] Bad file descriptor" in done.stderr


DEAF_CHILD = """
import signal
from stream.ops import supervise
supervise.STOP_SECONDS = 0.1
signal.signal(signal.SIGTERM, signal.SIG_IGN)
supervise.end_with_parent()
while True:
    signal.pause()
"""


def test_a_child_that_hears_no_signal_ends_with_its_supervisor_all_the_same() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", DEAF_CHILD], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert child.stdin is not None
    assert child.stderr is not None
    child.stdin.close()
    with child.stderr as said:
        assert child.wait(DEADLINE_SECONDS) == UNEXPECTED_EXIT
        assert b"the supervisor is gone" in said.read()
