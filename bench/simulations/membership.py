"""Whether one can tell from what is learned who it was learned from: `python -m
bench.simulations.membership LOG [--ratings N] [--worlds W]`.

Each of W worlds learns from the ratings of a half of the log's users, drawn by lot. Who attacks
knows all that leaves the learner of one world, all that a user ever did, and the other worlds as
shadow models (Shokri et al. 2017), and says how much likelier the user is in than out: item by item
the log of the ratio of two normals with the mean of the worlds with the user and of those without,
and their deviation (Carlini et al. 2022, without a model a user for the deviation). What leaves
without a budget: popularity and pairs of items, as they are counted; with one: every table that an
epoch tells, one after the other. The area under the curve of all users of all worlds, .5 where it
is a guess. Texts are hashed, nothing is ranked: the gate's and the fused model's weights are not
attacked.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.hardware import hardware, load
from bench.prequential import load_log
from bench.results.bench_run import BenchRun
from encoders.hashing import HashingEncoder
from learner.counts.released import RELEASED
from learner.private.learner import PrivateLearner
from learner.private.plan import Plan
from learner.training.learner import Learner
from stream.replay.inline import InlineEngine
from upwell.settings import LearnerSettings, load_settings
from upwell.values import CatalogueItem, Example, Interaction

__all__ = ["auc", "pairs_of", "ratios"]

STEP = 256
PAIRS = 10

Told = NDArray[np.float64]


def auc(inside: Sequence[float], outside: Sequence[float]) -> float:
    """The chance that one who is in has a higher score than one who is out; ties count half."""
    ours, theirs = np.asarray(inside), np.sort(np.asarray(outside))
    below = np.searchsorted(theirs, ours, side="left")
    upto = np.searchsorted(theirs, ours, side="right")
    return float((below + upto).sum() / (2.0 * len(ours) * len(theirs)))


def ratios(told: Told, members: NDArray[np.bool_], columns: Sequence[NDArray[np.int64]]) -> Told:
    """(W, U) how much likelier each user is in each world than out of it, by the other worlds.

    told: (W, N) what each world tells. members: (W, U). columns: of each user what of it they may
    have moved.
    """
    found = np.zeros(members.shape)
    for user, own in enumerate(columns):
        values = told[:, own]
        for world in range(len(told)):
            others = np.arange(len(told)) != world
            inside, outside = others & members[:, user], others & ~members[:, user]
            if not (inside.any() and outside.any()) or not len(own):
                continue
            means = values[inside].mean(axis=0), values[outside].mean(axis=0)
            spread = np.where(
                members[others, user][:, None],
                values[others] - means[0],
                values[others] - means[1],
            )
            variance = spread.var(axis=0) + 1e-3
            away = np.square(values[world] - means[1]) - np.square(values[world] - means[0])
            found[world, user] = float((away / variance).sum())
    return found


def pairs_of(example: Example) -> list[tuple[str, str]]:
    """The pairs that the counts of any kind are of."""
    item = str(example.event.item_id)
    before = dict.fromkeys(str(one.item_id) for one in reversed(example.history))
    return [(other, item) for other in list(before)[:PAIRS] if other != item]


def examples_of(path: Path, ratings: int) -> tuple[list[Example], list[CatalogueItem]]:
    """Of the log's first ratings, none of them tested."""
    settings = load_settings(os.environ, None)
    settings = replace(settings, learner=replace(settings.learner, fused=False, test_sample=0.0))
    log, engine = load_log(path, None, ratings), InlineEngine(settings, HashingEncoder(64))
    found: list[Example] = []
    engine.watch = found.extend
    for _ in engine.play([*log.items, *log.events], STEP):
        pass
    items = engine.learner.ranking.catalogue.items
    return found, [one for one in items if one is not None]


def learn(learner: Learner, items: Sequence[CatalogueItem], examples: Sequence[Example]) -> None:
    learner.add_items(items)
    for start in range(0, len(examples), STEP):
        learner.learn(examples[start : start + STEP])


def plain_world(
    settings: LearnerSettings,
    items: Sequence[CatalogueItem],
    examples: Sequence[Example],
    pairs: Mapping[tuple[str, str], int],
) -> Told:
    """Events an item, then people a pair."""
    learner = Learner(settings, len(items[0].vector), settings.seed)
    learn(learner, items, examples)
    arrays, ids = learner.arrays(), learner.meta()["items"]
    counts, column = arrays["counts.popularity.values"][8, : len(items)], np.zeros(len(pairs))
    rows = np.repeat(np.arange(len(ids)), arrays["counts.pairs_any.sizes"])
    entries = zip(
        rows, arrays["counts.pairs_any.ids"], arrays["counts.pairs_any.values"], strict=True
    )
    for row, other, value in entries:
        place = pairs.get((ids[row], ids[other]))
        if place is not None:
            column[place] = value
    return np.concatenate([counts, column])


def private_world(
    settings: LearnerSettings,
    items: Sequence[CatalogueItem],
    examples: Sequence[Example],
    plan: Plan,
    world: int,
) -> Told:
    """(E · RELEASED · N,) what each epoch told of each item."""
    secret = world.to_bytes(32, "little")
    learner = PrivateLearner(settings, len(items[0].vector), settings.seed, plan, secret)
    learner.add_items(items)
    told = []
    for start in range(0, len(examples), 20):
        learner.learn(examples[start : start + 20])
        arrays = learner.take_delta().arrays
        if "released.rows" in arrays:
            values = np.zeros((len(items), RELEASED))
            values[arrays["released.rows"]] = arrays["released.values"]
            told.append(values.T.ravel())
    return np.concatenate(told)


def _on_nothing(example: Example) -> Interaction:
    """So that it is in its place, and of nobody."""
    return replace(example.event, item_id="what nobody announced")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=10_000)
    parser.add_argument("--worlds", type=int, default=16)
    parser.add_argument("--epsilon", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    examples, items = examples_of(arguments.log, arguments.ratings)
    users = sorted({one.user for one in examples})
    place = {user: number for number, user in enumerate(users)}
    members = np.random.default_rng(arguments.seed).random((arguments.worlds, len(users))) < 0.5
    plan = Plan(epsilon=arguments.epsilon, delta=1.0 / len(users), events=32, epochs=64, first=200)
    row = {item.item_id: number for number, item in enumerate(items)}
    pairs = {
        pair: n for n, pair in enumerate(dict.fromkeys(p for e in examples for p in pairs_of(e)))
    }
    of_items: list[set[int]] = [set() for _ in users]
    of_pairs: list[set[int]] = [set() for _ in users]
    for one in examples:
        of_items[place[one.user]].add(row[str(one.event.item_id)])
        of_pairs[place[one.user]].update(len(items) + pairs[pair] for pair in pairs_of(one))
    settings = LearnerSettings(fused=False, seed=arguments.seed)
    plain, private = [], []
    for world in range(arguments.worlds):
        of_world = [
            one if members[world, place[one.user]] else replace(one, event=_on_nothing(one))
            for one in examples
        ]
        ours = [one for one in examples if members[world, place[one.user]]]
        plain.append(plain_world(settings, items, ours, pairs))
        private.append(private_world(settings, items, of_world, plan, world))
        print(f"world {world + 1} of {arguments.worlds}", flush=True)
    columns = [np.array(sorted(own), np.int64) for own in of_items]
    tables = len(private[0]) // len(items)
    every = [(own[None, :] + len(items) * np.arange(tables)[:, None]).ravel() for own in columns]
    both = [
        np.array(sorted(own | more), np.int64) for own, more in zip(of_items, of_pairs, strict=True)
    ]
    found = {
        "popularity": ratios(np.stack(plain), members, columns),
        "popularity and pairs": ratios(np.stack(plain), members, both),
        "private, the last epoch": ratios(
            np.stack(private)[:, -RELEASED * len(items) :],
            members,
            [np.concatenate([own, own + len(items)]) for own in columns],
        ),
        "private, all epochs": ratios(np.stack(private), members, every),
    }
    result = {
        "ratings": arguments.ratings,
        "users": len(users),
        "worlds": arguments.worlds,
        "epsilon": arguments.epsilon,
        "epochs": tables // RELEASED,
        "auc": {
            name: round(auc(scores[members].tolist(), scores[~members].tolist()), 4)
            for name, scores in found.items()
        },
        "hardware": hardware(),
        "load": load(),
    }
    tracked.tell(result)


if __name__ == "__main__":
    main()
