"""Commands typed on a terminal: a real one of the kernel's, with a size, a Ctrl-C and a resize."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.stream.ops.test_cli import surroundings

__all__ = ["ESCAPE", "STYLE", "Terminal", "running", "terminal"]

DEADLINE_SECONDS = 60.0
ESCAPE = b"\x1b"
STYLE = rb"\x1b\[[0-9;]*m"
"""A style of a terminal: colour, bold and the like."""
TAKE_TERMINAL = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)
"""So that Ctrl-C is a signal to what is typed, also where the tests run in the background, whose
processes ignore it.
"""


class Terminal:
    """What a person sees of one command. seen: all bytes so far."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master
        self.seen = b""

    def until(self, part: bytes) -> None:
        """Reads on until it was seen, from here on."""
        start = len(self.seen)
        self._read(lambda: part in self.seen[start:], f"{part!r}")

    def to_the_end(self) -> int:
        """The exit code."""
        self._read(lambda: False, "the end")
        return self.process.wait(DEADLINE_SECONDS)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def _read(self, done: object, what: str) -> None:
        assert callable(done)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not done():
            left = deadline - time.monotonic()
            assert left > 0, f"waited in vain for {what}: {self.seen[-2_000:]!r}"
            if select.select([self._master], [], [], left)[0]:
                try:
                    found = os.read(self._master, 65_536)
                except OSError:  # nobody holds the other end any more
                    found = b""
                if not found:
                    assert what == "the end", f"it ended before {what}: {self.seen[-2_000:]!r}"
                    return
                self.seen += found


@contextmanager
def terminal(
    folder: Path,
    words: Sequence[str],
    columns: int = 80,
    rows: int = 24,
    program: Sequence[str] = ("-m", "stream.ops.cli"),
    **variables: str,
) -> Iterator[Terminal]:
    """`upwell` with these words, in `folder`, with no settings but `variables`."""
    own = surroundings(folder, TERM="xterm-256color")
    for name in ("COLUMNS", "LINES", "NO_COLOR"):  # the terminal says how large it is
        own.pop(name, None)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, sys.executable, *program, *words],
        cwd=folder,
        env=own | variables,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


@contextmanager
def running(
    folder: Path, words: Sequence[str], **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """`upwell` with these words and pipes for its outputs, as a script starts it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "stream.ops.cli", *words],
        cwd=folder,
        env=surroundings(folder, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
