"""What policies of `bench.simulations.active` brought, side by side, paired by seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import t as student

__all__ = ["Figures", "compared", "print_table"]

Figures = dict[str, float]
"""Of one run."""


def compared(own: Sequence[float], lots: Sequence[float]) -> tuple[float, float, float]:
    """Mean difference, and its 95 % interval over seeds: from, to."""
    found = np.array(own) - np.array(lots)
    wide = float(student.ppf(0.975, len(found) - 1) * found.std(ddof=1) / math.sqrt(len(found)))
    return float(found.mean()), float(found.mean()) - wide, float(found.mean()) + wide


def print_table(found: Mapping[str, Sequence[Figures]], base: str, title: str) -> None:
    """A row a policy: means over seeds, and differences to those of the policy `base`."""
    columns = ("answered", "liked", "different", "known")
    gains = ("ndcg10_all", "ndcg10_new")
    names = ("policy", "answered", "liked", "different items", "reached 3 events")
    table = Table(*names, "NDCG@10", f"less {base}'s", "on new items", f"less {base}'s")
    table.title = title
    lots = found[base]
    for name, runs in found.items():
        cells = [f"{np.mean([one[key] for one in runs]):.1f}" for key in columns]
        for key in gains:
            own, theirs = ([one[key] for one in some] for some in (runs, lots))
            cells.append(f"{np.mean(own):.4f}")
            cells.append(
                ""
                if runs is lots
                else "{:+.4f} ({:+.4f} to {:+.4f})".format(*compared(own, theirs))
            )
        table.add_row(name, *cells)
    Console(width=150).print(table)
