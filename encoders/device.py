"""Where the language model runs, in which precision and on how many threads: chosen in this one
place. torch is asked only where there may be a GPU: a process that computes without it does not
hold it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from upwell.errors import EncoderError

__all__ = [
    "MOST_THREADS",
    "Placement",
    "Precision",
    "choose_int8",
    "choose_placement",
    "choose_threads",
    "computes_in_bf16",
    "computes_in_int8",
]

MOST_THREADS = 4

_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # the last is ARM's
_INT8_FLAGS = frozenset({"avx512_vnni", "avx_vnni"})
_CPUINFO = Path("/proc/cpuinfo")
_DRIVERS = ("nvidiactl", "dxg", "nvmap", "kfd")
"""In /dev, one of them where a GPU's driver is: NVIDIA's, Windows' below Linux, Jetson's, AMD's."""
_WITHOUT_BF16 = frozenset(
    {
        "SSE41",
        "AVX",
        "AVX2",
        "AVX2_VNNI",
        "AVX2_VNNI_2",
        "AVX512_CORE",
        "AVX512_CORE_VNNI",
    }
)
"""Values of ONEDNN_MAX_CPU_ISA: both engines compute by oneDNN, which it holds back."""
_WITHOUT_INT8 = frozenset({"SSE41", "AVX", "AVX2", "AVX512_CORE"})

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Placement:
    """device: `cpu` or `cuda`. precision: of the weights. Both as torch names them."""

    device: str
    precision: Precision


def choose_placement(wanted: str) -> Placement:
    """`auto` takes CUDA when there is one; bf16 where the processor computes in it, else float32.
    Raises `EncoderError`.
    """
    if wanted not in {"auto", "cpu", "cuda"}:
        raise EncoderError(f"device {wanted!r}: must be auto, cpu or cuda; set UPWELL_DEVICE")
    if wanted != "cpu" and (wanted == "cuda" or _may_have_gpu()):
        import torch

        if torch.cuda.is_available():
            return Placement("cuda", "bfloat16" if torch.cuda.is_bf16_supported() else "float32")
        if wanted == "cuda":
            raise EncoderError(
                "device cuda: torch sees no CUDA device here; set UPWELL_DEVICE=auto, or check "
                "the driver with nvidia-smi"
            )
    described = _CPUINFO.read_text() if _CPUINFO.exists() else ""
    in_bf16 = computes_in_bf16(described) and _held_to() not in _WITHOUT_BF16
    return Placement("cpu", "bfloat16" if in_bf16 else "float32")


def _may_have_gpu() -> bool:
    return sys.platform != "linux" or any(Path("/dev", name).exists() for name in _DRIVERS)


def choose_threads(wanted: int, device: str) -> int:
    """How many call the model: `wanted`, for 0 as many as this process has cores, at most
    `MOST_THREADS`; one in front of a GPU.

    Each computes on its own, with one thread of torch's. Threads that share one batch wait for each
    other at every layer: with one core of two busy, two of them encoded 71 titles a second, one
    alone 976 (docs/decisions/0005).
    """
    if device != "cpu":
        return 1
    return wanted or min(_cores(), MOST_THREADS)


def _cores() -> int:
    """That this process may use; where the system does not say, those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def computes_in_bf16(cpuinfo: str) -> bool:
    """Whether /proc/cpuinfo's text names instructions for bf16.

    Without them bf16 is slower than float32, which is right everywhere.
    """
    return not _BF16_FLAGS.isdisjoint(_flags(cpuinfo))


def choose_int8(placement: Placement) -> bool:
    """Whether a compiled model gains by products of 8 bits: the CPU has them, and none of bf16,
    which are about as fast and nearer (docs/decisions/0045).
    """
    if placement.device != "cpu" or placement.precision == "bfloat16":
        return False
    described = _CPUINFO.read_text() if _CPUINFO.exists() else ""
    return computes_in_int8(described) and _held_to() not in _WITHOUT_INT8


def computes_in_int8(cpuinfo: str) -> bool:
    """Whether /proc/cpuinfo's text names instructions that sum products of 8 bits in 32 (VNNI)."""
    return not _INT8_FLAGS.isdisjoint(_flags(cpuinfo))


def _flags(cpuinfo: str) -> list[str]:
    """Of the first processor."""
    lines = cpuinfo.splitlines()
    return next((one for one in lines if one.startswith(("flags", "Features"))), "").split()


def _held_to() -> str:
    """What oneDNN is held to, whatever the processor has; empty for all."""
    held = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    return held.upper()
