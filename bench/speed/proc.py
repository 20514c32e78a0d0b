"""What the processes of this machine take, from /proc: processor time, memory, who started whom."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

__all__ = ["cpu_seconds", "cpu_shares", "memory_mb", "parsed_memory", "parsed_ticks", "tree"]

PROC = Path("/proc")
KINDS = ("Rss", "Pss", "Anonymous")


def parsed_ticks(stat: str) -> int:
    """Of /proc/PID/stat: utime and stime. The name may hold spaces and brackets."""
    fields = stat[stat.rindex(")") + 2 :].split()
    return int(fields[11]) + int(fields[12])


def cpu_seconds(pid: int) -> float:
    """Of the process with all its threads; not of its children."""
    return parsed_ticks((PROC / str(pid) / "stat").read_text()) / os.sysconf("SC_CLK_TCK")


def cpu_shares(pids: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Per cent of one core that each took over so many seconds, by name."""
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    started = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - started
    return {
        name: round(100 * (cpu_seconds(pid) - before[name]) / passed, 1)
        for name, pid in pids.items()
    }


def parsed_memory(rollup: str) -> dict[str, float]:
    """Of /proc/PID/smaps_rollup, in MB of a million bytes."""
    found = {}
    for line in rollup.splitlines()[1:]:
        name, _, size = line.partition(":")
        if name in KINDS:
            found[name] = round(int(size.split()[0]) * 1024 / 1e6, 1)
    return found


def memory_mb(pid: int) -> dict[str, float]:
    return parsed_memory((PROC / str(pid) / "smaps_rollup").read_text())


def tree(pid: int) -> dict[int, list[str]]:
    """The process and all below it: its pid and its command line."""
    command = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    found = {pid: [part for part in command if part]}
    for thread in (PROC / str(pid) / "task").iterdir():
        for child in (thread / "children").read_text().split():
            found |= tree(int(child))
    return found
