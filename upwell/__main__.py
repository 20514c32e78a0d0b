"""The command `upwell`, also as `python -m upwell`: looks whether the folders it would run are
Upwell's own before it imports one of them.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from upwell.errors import InstallationError
from upwell.system.installation import check_installation

__all__ = ["main"]


def main() -> None:
    """Ends the process with the command's exit code."""
    try:
        check_installation()
    except InstallationError as exc:
        sys.stderr.write(f"upwell: {exc}\n")
        sys.exit(exc.exit_code)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a second one spins where cores are busy
    import_module("stream.ops.cli").main()  # no import: apps that import `upwell` load no engine


if __name__ == "__main__":
    main()
