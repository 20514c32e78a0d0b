"""Apps import upwell, and `upwell run` stays beside its workers: both must stay light. Serve does
without torch, which is half a gigabyte.
"""

from __future__ import annotations

import subprocess
import sys


def test_importing_upwell_loads_no_model_no_framework_and_no_client() -> None:
    heavy = "torch numba faust transformers qdrant_client qdrant_edge kafka"
    code = f"import sys, upwell; print([name for name in {heavy.split()!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_starts_the_workers_loads_neither_torch_nor_numba() -> None:
    heavy = "torch numba faust transformers"
    code = (
        "import sys, stream.ops.cli, stream.ops.cluster; "
        f"print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_serve_and_whatever_ranks_load_no_torch() -> None:
    code = "import sys, stream.serve.run; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
