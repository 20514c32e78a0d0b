"""Processes of a federation's bench, forked from one that has read the language model and the
catalogue, and the learner of a client that lies, dies or lags.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.queues import SimpleQueue
from typing import Any

import numpy as np
import torch

from learner.federated.report import Report
from learner.federated.site import Site

__all__ = ["Bad", "forked"]

BACKWARDS = -8.0
FORK = multiprocessing.get_context("fork")


class Bad(Site):
    """A client's learner that does not do as it should, from its second round on."""

    bad = ""
    learned = 0

    def learn(self, batches: Any, settled: bool = False) -> None:
        self.learned += 1
        if self.learned > 1 and self.bad == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.learned > 1 and self.bad == "lags":
            time.sleep(3_600)
        super().learn(batches, settled)

    def report(self) -> Report:
        honest = super().report()
        if self.bad != "lies":
            return honest
        sums = np.zeros_like(honest.counted.sums)
        sums[:, 0] = np.minimum(honest.counted.sums.sum(axis=1), honest.passed.events)
        weights = {name: np.float32(BACKWARDS) * one for name, one in honest.weights.items()}
        return replace(honest, weights=weights, counted=replace(honest.counted, sums=sums))


def forked(works: Sequence[Callable[[], Any]], wait_s: float) -> list[Any]:
    """Each in a process of its own, all at once; None of one that died, or was ended so long after
    the first was done.
    """
    queue: SimpleQueue[tuple[int, Any]] = FORK.SimpleQueue()

    def run(number: int, work: Callable[[], Any]) -> None:
        torch.set_num_threads(1)
        queue.put((number, work()))

    processes = [FORK.Process(target=run, args=one, daemon=True) for one in enumerate(works)]
    found: list[Any] = [None] * len(works)
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes) or not queue.empty():
        while not queue.empty():
            number, value = queue.get()
            found[number] = value
        if found[0] is not None and not processes[0].is_alive():
            for process in processes:
                process.join(wait_s)
                process.kill()
        time.sleep(0.1)
    return found
