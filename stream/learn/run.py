"""Starts the learn process: one a data folder, from the settings, until it is told to end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import torch

from encoders import model_dimension
from learner.private.build import new_learner
from learner.release.guard import GroupShare, Guard
from learner.training.learner import Learner
from stream.broker.connect import models_folder, pseudonym_key
from stream.broker.engines import engine_name
from stream.broker.erasures.ledger import ledger_files
from stream.broker.quiet import quieten
from stream.chain.policy import load_policy
from stream.fairness.groups import all_members
from stream.learn.erase import keep_ledger
from stream.learn.loop import LearnLoop
from stream.learn.options import LearnOptions, unfollowed
from stream.learn.tracking import tracking
from stream.metrics.endpoint import LEARN_PLACE, endpoint
from stream.tracing.start import tracing
from upwell.client import client_options
from upwell.errors import ModelError
from upwell.settings import Settings, exposure_bounds
from upwell.system.clock import now_ms
from upwell.system.lock import try_lock
from upwell.system.threads import end_with_any_thread

__all__ = ["own_folder", "run_learn", "stop_on_signals"]

_NICE = 10


def stop_on_signals(loop: LearnLoop) -> None:
    """End in order on Ctrl-C and on the supervisor's SIGTERM."""
    signal.signal(signal.SIGTERM, loop.stop)
    signal.signal(signal.SIGINT, loop.stop)


def own_folder(folder: Path) -> None:
    """Hold `models` of the data folder, wherever checkpoints are kept, until this process ends,
    however it ends.

    Raises `ModelError` where another holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if try_lock(folder / "owner.lock") is None:
        raise ModelError(f"another learn process runs on {folder}: one of it runs; stop the other")


def run_learn(settings: Settings, alone: bool = False) -> None:
    """Run until SIGTERM or Ctrl-C. Where another engine learns it waits as standby; `alone`: it
    raises `SettingsError`.

    One torch thread: the cores are shared with serve and the broker (docs/decisions/0005). Whoever
    waits for a list comes first: learning has what the others leave, and takes up less where that
    is little.
    """
    end_with_any_thread()
    os.nice(_NICE)
    torch.set_num_threads(1)
    dimension = model_dimension(settings.encoder.model)
    learner = settings.learner
    bounds = exposure_bounds(settings.stream.exposure)
    key = pseudonym_key(settings)

    def anew() -> Learner:
        return new_learner(learner, settings.private, dimension, key)

    trained = anew()
    with (
        endpoint(settings.metrics, LEARN_PLACE) as show,
        tracing(settings, "learn") as spans,
        tracking(settings.tracking, trained) as track,
    ):

        def told(record: bytes) -> None:
            show(record)
            track(record)

        options = LearnOptions(
            prefix=settings.kafka.prefix,
            home=settings.data / "models",
            folder=models_folder(settings),
            engine=engine_name(settings.data),
            publish_ms=learner.publish_ms,
            checkpoint_examples=learner.checkpoint_examples,
            warmup_examples=learner.warmup_examples,
            policy=load_policy(settings.policy),
            guard=Guard(groups=tuple(GroupShare(one.name, one.least) for one in bounds)),
            groups=lambda ranking: all_members(ranking, bounds),
            alone=alone,
            quarantine=learner.quarantine,
            quarantine_days=learner.quarantine_days,
            relearn=learner.relearn,
            relearn_reach=learner.relearn_reach,
            anew=anew if settings.private.epsilon is None else None,
            ledgers=ledger_files(settings),
            client=client_options(settings.kafka),
            show=told,
            learning=unfollowed if spans is None else spans.learning,
        )
        own_folder(options.home)
        loop = LearnLoop(trained, options, now_ms)
        stop_on_signals(loop)
        quieten()
        keep_ledger(options.client, options.prefix, (), options.ledgers)
        loop.run()
