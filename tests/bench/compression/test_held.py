"""What holds a processor back: each `cpuid` is found where it is, and a command is told by what."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.compression import held
from bench.compression.held import KINDS, cpuids, environment, make_illegal

needs_tools = pytest.mark.skipif(
    platform.machine() != "x86_64" or None in map(shutil.which, ("gcc", "objdump")),
    reason="x86-64 with gcc and binutils",
)
ASKING = """
unsigned asked(unsigned leaf) {
    unsigned a = leaf, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b;
}
"""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_command_is_told_what_to_hold_itself_to(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/own")
    told = environment(kind)
    assert (told["HELD_TO"], told["ONEDNN_MAX_CPU_ISA"]) == (kind, KINDS[kind])
    assert told["PYTHONPATH"].endswith(":/own")


@needs_tools
def test_every_cpuid_is_made_illegal_and_answered(tmp_path: Path) -> None:
    """The library that was asked answers as before, but for AVX-512."""
    (tmp_path / "asking.c").write_text(ASKING)
    (tmp_path / "answers.c").write_text(held.ANSWERS)
    for name in ("asking", "answers"):
        subprocess.run(
            ["gcc", "-O1", "-shared", "-fPIC", f"{name}.c", "-o", f"{name}.so"],  # noqa: S607
            cwd=tmp_path,
            check=True,
        )
    library = tmp_path / "asking.so"
    before = asked(library, {})
    assert len(list(cpuids(library))) == 1
    make_illegal(library)
    assert list(cpuids(library)) == []
    answers = {"LD_PRELOAD": str(tmp_path / "answers.so"), "HELD_TO": "avx2"}
    held_bits = {16, 17, 21, 26, 27, 28, 30, 31}
    assert asked(library, answers) == before & ~sum(1 << bit for bit in held_bits)


def asked(library: Path, environ: dict[str, str]) -> int:
    """EBX of leaf 7, by a process of its own."""
    program = f"import ctypes; print(ctypes.CDLL({str(library)!r}).asked(7) & 0xffffffff)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)
