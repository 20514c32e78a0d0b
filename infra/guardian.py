"""Runs a command for as long as whoever started it lives: standard input is a pipe that the parent holds, its end ends the command.

    python -m infra.guardian GRACE_SECONDS COMMAND …

So a broker never outlives a crashed or killed parent. The command's own end is passed on as the exit code.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """arguments: seconds between asking and killing, then the command."""
    grace, command = float(arguments[0]), arguments[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_parent, args=(process, grace), daemon=True).start()
    return process.wait()


def _end_with_parent(process: subprocess.Popen[bytes], grace: float) -> None:
    sys.stdin.buffer.read()
    process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
