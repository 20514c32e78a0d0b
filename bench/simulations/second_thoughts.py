"""What it is worth that a user's last word on an item counts:
`python -m bench.simulations.second_thoughts LOG --ratings N`.

A seeded simulation, since in no log here a user rates an item twice. A share of the ratings is
preceded, a second before, by a slip of the same user on the same item: a dislike where they liked
it, a like where they did not. The engine plays that log as it is, and by the rule before (each
opinion counts, an item is liked if it ever was), which is put in its place here. Both are tested on
the same targets, test then learn: what users liked and had not said anything of before.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson

from bench.hardware import hardware
from bench.prequential import Log, load_log, run_model
from bench.results.bench_run import BenchRun
from encoders import load_encoder
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.settings import load_settings
from upwell.values import LIKED_RATING, Interaction

SLIP = {True: 0.5, False: 5.0}
"""Stars, by whether they liked it."""
SLIP_MS = 1_000


def with_slips(log: Log, share: float, seed: int) -> Log:
    """The same, with a slip before so many of the ratings."""
    return Log(log.items, [one for record in log.events for one in _told(record, share, seed)])


def _told(record: LogRecord, share: float, seed: int) -> Iterator[LogRecord]:
    value = orjson.loads(record.value)
    lot = blake2b(f"{seed} {value['event_id']}".encode(), digest_size=8).digest()
    if int.from_bytes(lot) / 2.0**64 < share:
        slip = {
            "event_id": f"slip-{value['event_id']}",
            "ts": value["ts"] - SLIP_MS,
            "rating": SLIP[value["rating"] >= LIKED_RATING],
        }
        yield replace(record, value=orjson.dumps(value | slip))
    yield record


@contextmanager
def each_opinion_counts() -> Iterator[None]:
    """The rule before."""
    with ExitStack() as stack:
        for name, rule in (
            ("stream.chain.fold.standing", _all),
            ("stream.chain.fold.Draft._shares", _added),
            ("learner.ranking.ranking.profile", _ever_liked),
        ):
            stack.enter_context(patch(name, rule))
        yield


def _all(history: Sequence[Interaction]) -> Iterator[Interaction]:
    return reversed(history)


def _added(_: object, event: Interaction, weight: float) -> list[tuple[int, float]]:
    return [(event.ts, weight)]


def _ever_liked(
    placed: Iterable[tuple[int, Interaction]],
) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    liked: dict[int, bool] = {}
    for row, one in placed:
        liked[row] = one.liked or liked.get(row, False)
    return tuple(liked), tuple(liked.values())


def ndcg10(log: Log, arguments: argparse.Namespace) -> dict[str, Any]:
    """By slice, of an engine that plays the whole log."""
    settings = load_settings(os.environ, None)
    learner = replace(settings.learner, seed=arguments.seed, fused=arguments.fused, test_sample=1.0)
    encoder = load_encoder(settings.encoder.model, device=settings.encoder.device)
    engine = InlineEngine(replace(settings, learner=learner), encoder)
    run_model(log, engine)
    figures = engine.learner.figures
    return {"targets": figures.targets["all"], **figures.ndcg10()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=10_000)
    parser.add_argument("--share", type=float, default=0.2, help="of the ratings, with a slip")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--fused", action="store_true", help="with the fused model")
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    clean = load_log(arguments.log, None, arguments.ratings)
    log = with_slips(clean, arguments.share, arguments.seed)
    found = {"no slips": ndcg10(clean, arguments), "last word": ndcg10(log, arguments)}
    with each_opinion_counts():
        found["each opinion"] = ndcg10(log, arguments)
    for name, figures in found.items():
        print(f"{name:<13}", "  ".join(f"{key} {value:.4f}" for key, value in figures.items()))
    own = {**vars(arguments), "log": str(arguments.log)}
    tracked.tell({**own, "hardware": hardware(), "ndcg10": found})


if __name__ == "__main__":
    main()
