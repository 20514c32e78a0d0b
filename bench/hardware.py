"""What a figure was measured on, as every bench prints it: the processor, and how busy it was."""

from __future__ import annotations

import os

from upwell.system.hardware import hardware

__all__ = ["hardware", "load"]


def load() -> float:
    """Processes that wanted a core, the mean of the last minute: asked before a bench starts, how
    busy others kept the machine.
    """
    return round(os.getloadavg()[0], 2)
