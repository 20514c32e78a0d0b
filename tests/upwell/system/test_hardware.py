from __future__ import annotations

import pytest

from upwell.system.hardware import described

CPUINFO = "processor : 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu {flags}\n\n"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("avx2 fma", "2 x AMD EPYC (AVX2)"),
        ("avx2 avx512f avx512_bf16", "2 x AMD EPYC (AVX2, AVX-512, bf16)"),
        ("avx2 avx_vnni", "2 x AMD EPYC (AVX2, VNNI)"),
        ("sse2", "2 x AMD EPYC (none of AVX2, AVX-512, VNNI, bf16 seen)"),
    ],
)
def test_the_processor_is_named_with_what_it_has(flags: str, said: str) -> None:
    assert described(2 * CPUINFO.format(flags=flags), {}) == said


def test_what_holds_the_libraries_back_is_named() -> None:
    said = described(CPUINFO.format(flags="avx2"), {"ONEDNN_MAX_CPU_ISA": "AVX2"})
    assert said == "1 x AMD EPYC (AVX2, ONEDNN_MAX_CPU_ISA=AVX2)"
