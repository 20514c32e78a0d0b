"""What this process takes of its machine."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

__all__ = ["process_figures", "resident_bytes"]

_STATM = Path("/proc/self/statm")


def process_figures() -> dict[str, float]:
    """JSON-ready: resident_bytes; cpu_seconds, of all threads since the start."""
    return {"resident_bytes": resident_bytes(), "cpu_seconds": round(time.process_time(), 3)}


def resident_bytes() -> int:
    """Memory that the process holds now; where the system does not say, the most that it held."""
    try:
        pages = int(_STATM.read_bytes().split()[1])
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * os.sysconf("SC_PAGE_SIZE")
