"""One serve or learn process as the harness starts it: the product's own loop, with the hashing
encoder and, if asked, one fault inside.

It is forked from a warm server (`tests.faults.warm`), so that a start costs a fraction of a second
instead of the imports of torch and transformers; SIGKILL ends it as it ends any process. The
hashing encoder stands in for the language model: it has no state to lose.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Literal
from unittest.mock import patch

from encoders.hashing import HashingEncoder
from tests.faults.inject import Fault, install
from upwell.settings import Settings

__all__ = ["DIMENSION", "Role", "encoder", "start_worker", "warm_context"]

DIMENSION = 64
SESSION_SECONDS = 6.0
"""The shortest that a broker allows by default: how long a killed worker's partitions wait for
another one.
"""

Role = Literal["serve", "learn"]


def encoder() -> HashingEncoder:
    """What every worker of the harness, and the undisturbed run, encode with."""
    return HashingEncoder(DIMENSION)


def warm_context() -> ForkServerContext:
    """Where workers are forked from.

    Returns when it is warm; kernels that were never compiled take a minute or more.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.warm", "tests.faults.scenarios.table"])
    nothing = context.Process(target=_nothing)
    nothing.start()
    nothing.join()
    return context


def _nothing() -> None:
    """Runs once the server is up."""


def start_worker(
    role: Role, settings: Settings, log: Path, fault: Fault | None = None, alone: bool = False
) -> ForkServerProcess:
    """A running worker, its output appended to `log`. It ends with this process. alone: a learner
    that does not wait where another one learns.
    """
    worker = warm_context().Process(
        target=_work, args=(role, settings, str(log), fault, alone), daemon=True
    )
    worker.start()
    return worker


def _work(role: Role, settings: Settings, log: str, fault: Fault | None, alone: bool) -> None:
    _write_to(log)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(process)d %(name)s: %(message)s", force=True
    )
    for noisy in ("kafka", "faust", "aiokafka", "mode", "numba"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    from stream.encode import load as loading
    from stream.learn import run as learn
    from stream.serve import faust_app, run

    torch.set_num_threads(1)
    patch.object(loading, "load", lambda *_: encoder()).start()
    patch.object(faust_app, "SESSION_TIMEOUT_S", SESSION_SECONDS).start()
    patch.object(learn, "model_dimension", lambda _: DIMENSION).start()
    if fault is not None:
        install(fault)
    sys.argv = ["upwell", role]
    if role == "serve":
        run.run_serve(settings)
    else:
        learn.run_learn(settings, alone)


def _write_to(log: str) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(out)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGKILL)
