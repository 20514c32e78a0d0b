"""Where the language model runs, and in which precision: chosen in this one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from upwell.errors import EncoderError

__all__ = ["Placement", "choose_placement"]

_BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16 ")
_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Placement:
    """device: a torch device; dtype: of the weights."""

    device: torch.device
    dtype: torch.dtype


def choose_placement(wanted: str) -> Placement:
    """`auto` takes CUDA when there is one; bf16 where the processor computes in it, else float32. Raises `EncoderError`."""
    if wanted not in {"auto", "cpu", "cuda"}:
        raise EncoderError(f"device {wanted!r}: must be auto, cpu or cuda; set UPWELL_DEVICE")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise EncoderError("device cuda: torch sees no CUDA device here; set UPWELL_DEVICE=auto, or check the driver with nvidia-smi")
    if wanted == "cuda" or (wanted == "auto" and torch.cuda.is_available()):
        return Placement(torch.device("cuda"), torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32)
    return Placement(torch.device("cpu"), torch.bfloat16 if _cpu_has_bf16() else torch.float32)


def _cpu_has_bf16() -> bool:
    """float32 is right everywhere; bf16 without hardware for it is slower than float32."""
    if not _CPUINFO.exists():
        return False
    flags = next((line for line in _CPUINFO.read_text().splitlines() if line.startswith(("flags", "Features"))), "")
    return any(flag in flags + " " for flag in _BF16_FLAGS)
