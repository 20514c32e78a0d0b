"""Runs a command as on a processor with less: AVX2 alone, AVX2 with VNNI, AVX-512 with VNNI but
without bf16.

    python -m bench.compression.held avx2|avx2-vnni|avx512-vnni COMMAND ...

Variables hold torch, oneDNN and OpenBLAS. OpenVINO asks the processor itself, so the command gets a
copy of it whose `cpuid` instructions are illegal ones, and a library that answers them as the real
processor does but for the bits of what is to be missing. On x86-64 with AVX-512 under Linux; needs
gcc and objdump (`apt-get install gcc binutils`). The copy is kept in .upwell/held. NumPy and numba
are not held.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from encoders.engines.converted import openvino_alone

KINDS = {"avx2": "AVX2", "avx2-vnni": "AVX2_VNNI", "avx512-vnni": "AVX512_CORE_VNNI"}
FOLDER = Path(".upwell/held").absolute()
ASKING = ("libopenvino_intel_cpu_plugin.so", "libopenvino.so.*")
ASKED = re.compile(r" *([0-9a-f]+):\s+cpuid\b")
CPUID, ILLEGAL = b"\x0f\xa2", b"\x0f\x0b"
ANSWERS = r"""
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define BIT(n) (1u << (n))
static int without_bf16_alone, with_avx_vnni;

/* Of leaf 7, by Intel's and AMD's manuals: AVX-512 and its parts, AMX, AVX-VNNI, bf16. */
static void leave_out(uint32_t sub, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
    const uint32_t amx = BIT(22) | BIT(24) | BIT(25);
    if (sub == 0) {
        *d &= ~(amx | BIT(23));
        if (without_bf16_alone) return;
        *b &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31));
        *c &= ~(BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14));
        *d &= ~(BIT(2) | BIT(3) | BIT(8));
    } else if (sub == 1) {
        *a &= ~(BIT(5) | BIT(21) | BIT(23));
        *d &= ~(BIT(4) | BIT(5) | BIT(10) | BIT(19));
        if (!with_avx_vnni && !without_bf16_alone) *a &= ~BIT(4);
    }
}

static void answer(int number, siginfo_t *info, void *context) {
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *at = (const uint8_t *)r[REG_RIP];
    if (at[0] != 0x0f || at[1] != 0x0b) { signal(SIGILL, SIG_DFL); return; }
    uint32_t a = r[REG_RAX], c = r[REG_RCX], leaf = a, sub = c, b, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (leaf == 7) leave_out(sub, &a, &b, &c, &d);
    r[REG_RAX] = a; r[REG_RBX] = b; r[REG_RCX] = c; r[REG_RDX] = d; r[REG_RIP] += 2;
}

__attribute__((constructor(101))) static void begin(void) {
    const char *held = getenv("HELD_TO");
    without_bf16_alone = held && !strcmp(held, "avx512-vnni");
    with_avx_vnni = held && !strcmp(held, "avx2-vnni");
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = answer;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGILL, &action, 0);
}
"""


def made_ready() -> None:
    """The library and the copy, where they are missing."""
    for tool in ("gcc", "objdump"):
        if shutil.which(tool) is None:
            raise SystemExit(f"bench/compression/held.py: no {tool}: apt-get install gcc binutils")
    package = held_package()
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "answers.c").write_text(ANSWERS)
    compiling = [
        str(shutil.which("gcc")),
        "-O1",
        "-shared",
        "-fPIC",
        "answers.c",
        "-o",
        "answers.so",
    ]
    subprocess.run(compiling, cwd=FOLDER, check=True)
    if not package.exists():
        new = FOLDER / "new"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(Path(str(openvino_alone().__file__)).parent, new / "openvino")
        for pattern in ASKING:
            for library in (new / "openvino" / "libs").glob(pattern):
                make_illegal(library)
        new.rename(package)


def held_package() -> Path:
    """The folder of the copy."""
    return FOLDER / f"openvino-{importlib.metadata.version('openvino')}"


def make_illegal(library: Path) -> None:
    """Each `cpuid` of it. An address is a place in the file, which is checked."""
    data = bytearray(library.read_bytes())
    for place in cpuids(library):
        assert data[place : place + 2] == CPUID, f"{library} is laid out in another way"
        data[place : place + 2] = ILLEGAL
    library.write_bytes(data)


def cpuids(library: Path) -> Iterator[int]:
    """Their addresses; a disassembly is hundreds of megabytes, so it is read as it comes."""
    listing = [str(shutil.which("objdump")), "-d", "--no-show-raw-insn", str(library)]
    with subprocess.Popen(listing, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if found := ASKED.match(line):
                yield int(found[1], 16)


def environment(kind: str) -> dict[str, str]:
    """Of the command."""
    path = [str(held_package()), os.environ.get("PYTHONPATH")]
    held = {} if kind == "avx512-vnni" else {"ATEN_CPU_CAPABILITY": "avx2"}
    return {
        **os.environ,
        **held,
        "HELD_TO": kind,
        "LD_PRELOAD": str(FOLDER / "answers.so"),
        "PYTHONPATH": os.pathsep.join(one for one in path if one),
        "ONEDNN_MAX_CPU_ISA": KINDS[kind],
        "OPENBLAS_CORETYPE": "SkylakeX" if kind == "avx512-vnni" else "Haswell",
        "MKL_ENABLE_INSTRUCTIONS": "AVX512" if kind == "avx512-vnni" else "AVX2",
    }


def main() -> None:
    if len(sys.argv) < 3 or sys.argv[1] not in KINDS:
        raise SystemExit(__doc__)
    made_ready()
    os.execvpe(sys.argv[2], sys.argv[2:], environment(sys.argv[1]))  # noqa: S606 -- what was asked for


if __name__ == "__main__":
    main()
