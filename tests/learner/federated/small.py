"""Clients with logs of their own of one small catalogue, and a server's rounds, all in this
process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from learner.federated.message import decode, encode
from learner.federated.options import Options
from learner.federated.rounds import Rounds
from learner.federated.site import Site
from learner.federated.state import GlobalModel, contract, first_model
from learner.training.learner import Learner
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, log
from upwell.settings import LearnerSettings
from upwell.values import Example

TEXTS = {one.item_id: one.title for one in catalogue()}
FUSED = replace(SETTINGS, fused=True, fused_every=16, fused_steps=1)
SESSION = "s"


def split(count: int, clients: int) -> list[list[Example]]:
    """One log by user: each client's has offsets of its own topic."""
    parts: list[list[Example]] = [[] for _ in range(clients)]
    for one in log(count)[0]:
        parts[int(one.user[1:]) % clients].append(one)
    return parts


def site_of(settings: LearnerSettings = SETTINGS, texts: Mapping[str, str] = TEXTS) -> Site:
    learner = Learner(settings, DIMENSION, 7)
    learner.add_items([one for one in catalogue() if one.item_id in texts])
    return Site(learner, texts)


def teach(site: Site, examples: Sequence[Example], settled: bool = False) -> None:
    def batches() -> Iterator[None]:
        for start in range(0, len(examples), 16):
            site.learner.learn(examples[start : start + 16])
            yield

    site.learn(batches(), settled)


def rounds_of(options: Options, settings: LearnerSettings = SETTINGS) -> Rounds:
    fresh = Learner(settings, DIMENSION, 7)
    return Rounds(first_model(settings, DIMENSION), options, contract(fresh, "e"))


def join(rounds: Rounds, name: str, settings: LearnerSettings = SETTINGS, **other: Any) -> None:
    said = contract(Learner(settings, DIMENSION, 7), "e")
    told = {"session": SESSION, "log": f"log of {name}", "texts": TEXTS, "said": said} | other
    rounds.join(name, **told)


def sent(model: GlobalModel) -> GlobalModel:
    return GlobalModel.of(*decode(encode(model.head(), model.arrays())))


def report(rounds: Rounds, name: str, site: Site, **changed: Any) -> str | None:
    """As it travels."""
    told = replace(site.report(), **changed)
    return rounds.report(name, SESSION, *decode(encode(told.head(), told.arrays())))


def take(rounds: Rounds, name: str, site: Site) -> None:
    task = rounds.task(name, SESSION)
    assert task["do"] in ("learn", "done")
    site.take(sent(rounds.model), task["round"] - 1 in task["taken"])
