"""What a figure was measured on: the processor, and what it can compute with.

Every bench prints it. It loads no framework, so that it can be asked before anything is measured.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

__all__ = ["described", "hardware"]

CPUINFO = Path("/proc/cpuinfo")
ABILITIES = (
    ("AVX2", {"avx2"}),
    ("AVX-512", {"avx512f"}),
    ("VNNI", {"avx512_vnni", "avx_vnni"}),
    ("bf16", {"avx512_bf16", "amx_bf16", "bf16"}),
)
"""What decides how fast matrix products are, and the flags by which Linux tells it."""
HELD_BACK = ("HELD_TO", "ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE")
"""Variables that hold libraries to fewer instructions than the processor has; the first is that of
`bench/compression/held.py`.
"""


def hardware() -> str:
    """Cores, processor, which of AVX2, AVX-512, VNNI and bf16 it has, and what holds it back."""
    return described(CPUINFO.read_text() if CPUINFO.exists() else "", os.environ)


def described(cpuinfo: str, environ: Mapping[str, str]) -> str:
    """Of the text of /proc/cpuinfo, which may be empty where there is none."""
    fields = [
        (name.strip(), value.strip())
        for name, colon, value in (line.partition(":") for line in cpuinfo.splitlines())
        if colon
    ]
    names = [value for name, value in fields if name == "model name"]
    flags = {
        flag for name, value in fields if name in {"flags", "Features"} for flag in value.split()
    }
    has = [ability for ability, among in ABILITIES if flags & among]
    held = [f"{name}={environ[name]}" for name in HELD_BACK if environ.get(name)]
    cores = len(names) or os.cpu_count()
    abilities = ", ".join([*has, *held]) or "none of AVX2, AVX-512, VNNI, bf16 seen"
    return f"{cores} x {names[0] if names else platform.machine()} ({abilities})"
