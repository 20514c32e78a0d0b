"""One serve and one learn process, or one of the two, under a supervisor: started together,
restarted when they fall, stopped together.

Each child also ends by itself when the supervisor is gone, however it went: its standard input is a
pipe that nobody else holds.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from upwell.errors import SettingsError, UpwellError
from upwell.system.exit_codes import ExitCode
from upwell.system.threads import UNEXPECTED_EXIT, end_process, start_thread

__all__ = [
    "ALL_ROLES",
    "ALONE",
    "ENCODE",
    "ROLES",
    "USES",
    "Child",
    "Supervisor",
    "end_with_parent",
]

ROLES = ("serve", "learn")
ENCODE = "encode"
"""Encodes what serve workers leave to it (UPWELL_ENCODED_BY)."""
USES = ("desk", "watch")
"""Other uses than lists, of which each is one more role."""
ALL_ROLES = (*ROLES, ENCODE, *USES)
ALONE = "--alone"
"""Of a learner that does not wait where another one learns."""
MAX_RESTARTS = 5
"""Of a role within `QUIET_SECONDS`, after pauses of 0, 1, 3, 7 and 15 s."""
QUIET_SECONDS = 300.0
STOP_SECONDS = 25.0
TICK_SECONDS = 0.2
MISUSE_EXIT_CODES = frozenset({ExitCode.REFUSED})
"""A child that ends with one of these would end so again: wrong settings are not restarted."""

log = logging.getLogger("upwell.run")


@dataclass
class Child:
    """A child process and its falls: `fallen` holds when it fell, monotonic seconds."""

    role: str
    process: subprocess.Popen[bytes]
    fallen: list[float] = field(default_factory=list)
    start_again_at: float | None = None


class Supervisor:
    """command: what starts a role, without the role's name. logs: a folder for the children's
    output, None for this terminal. roles: of `ALL_ROLES`, those that run here.

    alone: another engine's learner is an error at the start. One that is started again waits for
    it: it took over while this one was down.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        logs: Path | None,
        roles: Sequence[str] = ROLES,
        alone: bool = False,
    ) -> None:
        self._command = list(command)
        self._environ = dict(environ)
        self._logs = logs
        self._roles = tuple(roles)
        self._alone = alone
        self._children: dict[str, Child] = {}

    def __enter__(self) -> Supervisor:
        try:
            for role in self._roles:
                first = (ALONE,) if self._alone and role == "learn" else ()
                self._children[role] = Child(role, self._spawn(role, *first))
        except BaseException:  # a second cannot be started: the first does not stay behind
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each role that runs."""
        return {role: child.process.pid for role, child in self._children.items()}

    def check(self) -> None:
        """Restart what fell; call it every so often. Raises `UpwellError` when a role falls again
        and again, `SettingsError` when one says that its settings are wrong.
        """
        now = time.monotonic()
        for child in self._children.values():
            if child.start_again_at is not None:
                if now >= child.start_again_at:
                    _close_input(child.process)
                    child.process, child.start_again_at = self._spawn(child.role), None
            elif (code := child.process.poll()) is not None:
                self._fell(child, code, now)

    def watch(self, until: Callable[[], bool]) -> None:
        """Keep all alive until `until` says so."""
        while not until():
            self.check()
            time.sleep(TICK_SECONDS)

    def stop(self) -> None:
        """Ask all to end, wait, then end them."""
        running = [
            child.process for child in self._children.values() if child.process.poll() is None
        ]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                log.warning(
                    "process %d did not end within %.0f s and is killed", process.pid, STOP_SECONDS
                )
                process.kill()
                process.wait()
        for child in self._children.values():
            _close_input(child.process)

    def _fell(self, child: Child, code: int, now: float) -> None:
        child.fallen = [at for at in child.fallen if now - at < QUIET_SECONDS] + [now]
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        if code in MISUSE_EXIT_CODES or len(child.fallen) > MAX_RESTARTS:
            times = f"{len(child.fallen)} times in {QUIET_SECONDS:.0f} s"
            given_up = f"{child.role} ended {how}, {times}, and is not started again"
            kind = SettingsError if code in MISUSE_EXIT_CODES else UpwellError
            raise kind(f"{given_up}: {self._last_words(child.role)}")
        pause = 2.0 ** (len(child.fallen) - 1) - 1.0
        log.warning(
            "%s ended %s; starting it again in %.0f s (try %d of %d)",
            child.role,
            how,
            pause,
            len(child.fallen),
            MAX_RESTARTS,
        )
        child.start_again_at = now + pause

    def _last_words(self, role: str) -> str:
        if self._logs is None:
            return "its last lines stand above"
        path = self._logs / f"{role}.log"
        lines = path.read_text(errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} (all of it: {path})"

    def _spawn(self, role: str, *more: str) -> subprocess.Popen[bytes]:
        output: IO[bytes] | None = None
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
            output = (self._logs / f"{role}.log").open("ab")
        try:
            return self._popen([*self._command, role, *more], output)
        except OSError as exc:
            raise UpwellError(
                f"{role} cannot be started: {self._command[0]}: {exc.strerror}"
            ) from exc
        finally:
            if output is not None:
                output.close()

    def _popen(self, command: Sequence[str], output: IO[bytes] | None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=self._environ,
            start_new_session=True,
        )


def _close_input(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()


def end_with_parent() -> None:
    """In a child: end in order once the supervisor is gone, and in any way after `STOP_SECONDS`:
    with the broker gone too, Faust never comes to an end.
    """

    def wait() -> None:
        while os.read(0, 1024):  # not sys.stdin, whose lock would hang the interpreter's end
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        end_process(f"the supervisor is gone for {STOP_SECONDS:.0f} s", UNEXPECTED_EXIT)

    start_thread("parent", wait)
