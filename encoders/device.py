"""Where the language model runs, in which precision and on how many threads: chosen in this one
place.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from upwell.errors import EncoderError

__all__ = ["MOST_THREADS", "Placement", "choose_placement", "choose_threads", "computes_in_bf16"]

MOST_THREADS = 4

_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # the last is ARM's
_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Placement:
    """device: a torch device; dtype: of the weights."""

    device: torch.device
    dtype: torch.dtype


def choose_placement(wanted: str) -> Placement:
    """`auto` takes CUDA when there is one; bf16 where the processor computes in it, else float32.
    Raises `EncoderError`.
    """
    if wanted not in {"auto", "cpu", "cuda"}:
        raise EncoderError(f"device {wanted!r}: must be auto, cpu or cuda; set UPWELL_DEVICE")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise EncoderError(
            "device cuda: torch sees no CUDA device here; set UPWELL_DEVICE=auto, or check "
            "the driver with nvidia-smi"
        )
    if wanted != "cpu" and torch.cuda.is_available():
        return Placement(
            torch.device("cuda"),
            torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32,
        )
    described = _CPUINFO.read_text() if _CPUINFO.exists() else ""
    in_bf16 = computes_in_bf16(described) and _onednn_uses_bf16()
    return Placement(torch.device("cpu"), torch.bfloat16 if in_bf16 else torch.float32)


def choose_threads(wanted: int, device: torch.device) -> int:
    """How many call the model: `wanted`, for 0 as many as this process has cores, at most
    `MOST_THREADS`; one in front of a GPU.

    Each computes on its own, with one thread of torch's. Threads that share one batch wait for each
    other at every layer: with one core of two busy, two of them encoded 71 titles a second, one
    alone 976 (docs/decisions/0005).
    """
    if device.type != "cpu":
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
    flags = next(
        (line for line in cpuinfo.splitlines() if line.startswith(("flags", "Features"))), ""
    )
    return not _BF16_FLAGS.isdisjoint(flags.split())


def _onednn_uses_bf16() -> bool:
    """Not where ONEDNN_MAX_CPU_ISA holds it to older instructions, whatever the processor has."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001 (nothing public says it)
