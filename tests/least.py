"""The numeric rooms' tests with the least that an x86-64 processor may have: no AVX, no bf16.

Each library picks its functions by the processor, and float results differ in their last digits:
this is how the oldest machine sees them. `python -m tests.least [pytest's options, or tests]`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

__all__ = ["least"]

ROOMS = (
    "tests/conformance",
    "tests/encoders",
    "tests/learner",
    "tests/store",
    "tests/stream/chain",
)


def least() -> Mapping[str, str]:
    """Variables that hold each library back; of numpy's features those that this processor has."""
    numpy_core: Any = import_module("numpy._core._multiarray_umath")

    present = [name for name in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__[name]]
    return {
        "NPY_DISABLE_CPU_FEATURES": " ".join(present),
        "OPENBLAS_CORETYPE": "Prescott",
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "NUMBA_CPU_NAME": "generic",
    }


if __name__ == "__main__":
    named = any(not one.startswith("-") for one in sys.argv[1:])
    rooms = () if named else ROOMS
    environ = {**os.environ, **least()}
    compiling = "from learner.training.warmup import compile_kernels; compile_kernels()"
    subprocess.run([sys.executable, "-c", compiling], env=environ, check=True)
    pytest = [sys.executable, "-m", "pytest", "-m", "not broker and not slow"]
    os.execve(sys.executable, [*pytest, *sys.argv[1:], *rooms], environ)
