"""Loaded once into the server that the workers are forked from: their imports and compiled kernels,
so that a start is a fork.

Importing this does work, which nothing else may: it is what multiprocessing offers to run before
the first fork.
"""

from __future__ import annotations

import faust
import faust.assignor.leader_assignor
import faust.livecheck
import faust.transport.drivers.aiokafka
import faust.worker

import stream.learn.loop
import stream.serve.run
from learner.training.warmup import compile_kernels

__all__ = ["loaded"]

loaded = (stream.learn, stream.serve)
compile_kernels()
# Faust imports the rest of itself when an app asks for it; this one is never started.
faust.App("warm", broker="kafka://127.0.0.1:1", store="memory://").topic("warm")
