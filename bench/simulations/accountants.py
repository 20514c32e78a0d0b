"""The figures that the tests of the account hold: ε of Gaussian noise by dp-accounting's privacy
loss distributions and Rényi divergences beside Upwell's: `python -m bench.simulations.accountants`
(`pip install dp-accounting`).
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from bench.results.bench_run import BenchRun
from learner.private.accountant import composed, epsilon_of

__all__ = ["CASES", "main"]

CASES = (
    (1.0, 1e-5, 1),
    (0.5, 1 / 610, 1),
    (2.0, 1e-6, 4),
    (0.4655, 1 / 610, 1),
    (3.0, 1e-6, 9),
)
"""Noise multiplier, δ, releases."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tracked = BenchRun(__file__, parser.parse_args())
    library: Any = import_module("dp_accounting")
    loss: Any = import_module("dp_accounting.pld")
    renyi: Any = import_module("dp_accounting.rdp")
    rows = []
    for sigma, delta, releases in CASES:
        found = {"sigma": sigma, "delta": delta, "releases": releases}
        accountants = {
            "pld": loss.PLDAccountant(value_discretization_interval=1e-4),
            "rdp": renyi.RdpAccountant(),
        }
        for name, one in accountants.items():
            one.compose(library.GaussianDpEvent(sigma), releases)
            found[name] = one.get_epsilon(delta)
        found["upwell"] = epsilon_of(composed([1.0 / sigma] * releases), delta)
        rows.append(found)
        print(found)
    tracked.tell({"cases": rows})


if __name__ == "__main__":
    main()
