"""What learning together without sharing events is worth: `python -m bench.federated.rounds LOG`.

The first ratings of a log are split by user among clients, each a process with a socket to a server
process, as `upwell federate` runs them (forked, so that the language model and the catalogue are
read once). Each target is ranked over the whole catalogue before it is learned; those after the
first round count. Beside the federations: one learner with all events, and each client by itself.
The last client is the bad one where one is: it lies (its weights move backwards, eight times as
far, and all its popularity stands on one item), dies in its second round, or lags from then on.
Figures are pooled over all other clients, and in brackets over all.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import torch
from rich.console import Console
from rich.table import Table

from bench.federated.processes import Bad, forked
from bench.hardware import hardware, load
from bench.prequential import Log, load_log
from bench.results.bench_run import BenchRun
from encoders import load_encoder
from learner.federated.layout import text_digest
from learner.federated.options import Options
from learner.federated.private import Privacy, epsilon
from stream.federate.cell import ClientCell, Tls
from stream.federate.client import FederatedClient, Hiding
from stream.federate.log import ClientLog
from stream.federate.server import FederatedServer
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.settings import Settings, load_settings

BATCH = 64
SLICES = ("all", "cold_user", "cold_item", "warm")
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """bad: what the last client does: `` (nothing), `lies`, `dies` or `lags`."""

    name: str
    aggregate: str
    bad: str = ""
    hiding: Hiding = Hiding()
    deadline_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What all runs share. base: an engine whose catalogue is announced; a process forked has its
    own. logs: of each client.
    """

    base: InlineEngine
    encoder: tuple[str, int]
    settings: Settings
    logs: Sequence[ClientLog]
    rounds: int


def split(log: Log, clients: int, seed: int = 0) -> list[list[LogRecord]]:
    """Events by client: users in the order they come, one after the other to each; with a seed
    other than 0 in one that is drawn.
    """
    users = list(dict.fromkeys(one.key for one in log.events))
    if seed:
        random.Random(seed).shuffle(users)
    place = {user: number % clients for number, user in enumerate(users)}
    parts: list[list[LogRecord]] = [[] for _ in range(clients)]
    for one in log.events:
        parts[place[one.key]].append(one)
    return parts


def played(engine: InlineEngine, stretches: Sequence[Sequence[LogRecord]]) -> Figures:
    """Of one learner; the first stretch is not counted."""
    for number, stretch in enumerate(stretches):
        for _ in engine.play(stretch, BATCH):
            pass
        if number == 0:
            engine.learner.figures.reset()
    told = engine.learner.figures.report()
    return {"targets": told["targets"], "ndcg10": told["model"]["ndcg10"]}


def federated(setting: Setting, scenario: Scenario) -> list[Any]:
    """What the server says, then each client."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    clients = len(setting.logs)
    options = Options(
        clients,
        setting.rounds,
        1,
        scenario.deadline_s,
        scenario.aggregate,
        1,
        scenario.hiding.secret is not None,
    )

    def serve() -> Figures:
        with tempfile.TemporaryDirectory() as out:
            learner = setting.settings.learner
            server = FederatedServer(Path(out), learner, setting.encoder, options, _tell)
            return server.run(address, Tls())

    def take_part(number: int) -> Callable[[], Figures]:
        def run() -> Figures:
            engine, log = setting.base, setting.logs[number]
            last = number == clients - 1
            site = Bad(engine.learner, log.texts)
            site.bad = scenario.bad if last else ""
            with closing(ClientCell(address, f"client-{number}", Tls())) as cell:
                return FederatedClient(
                    cell, engine, site, log, setting.encoder[0], scenario.hiding, _tell
                ).run()

        return run

    return forked([serve, *(take_part(number) for number in range(clients))], 5.0)


def pooled(found: Sequence[Figures | None]) -> dict[str, float | None]:
    """NDCG@10 by slice over the targets of several clients."""
    told = [one for one in found if one is not None]
    result: dict[str, float | None] = {}
    for name in SLICES:
        some = [(one["targets"][name], one["ndcg10"][name]) for one in told]
        count = sum(targets for targets, _ in some)
        gained = sum(targets * value for targets, value in some if targets)
        result[name] = gained / count if count else None
    return result


def prepared(arguments: argparse.Namespace) -> tuple[Setting, list[list[LogRecord]]]:
    """All that runs share, and the stretches of all events together."""
    settings = load_settings(os.environ)
    log = load_log(arguments.log, None, arguments.ratings)
    used = {orjson.loads(one.value)["item_id"] for one in log.events}
    items = [one for one in log.items if orjson.loads(one.value)["item_id"] in used]
    encoder = load_encoder(settings.encoder.model, engine="torch", threads=1)
    base = InlineEngine(settings, encoder)
    for _ in base.play(items, 256):
        pass
    texts = dict.fromkeys(sorted(used), text_digest("the same catalogue"))
    logs = [
        ClientLog(part, f"log {number}", texts)
        for number, part in enumerate(split(log, arguments.clients, arguments.seed))
    ]
    of_client = [one.stretches(arguments.rounds) for one in logs]
    order = {one.line: place for place, one in enumerate(log.events)}
    together = [
        sorted((one for part in parts for one in part), key=lambda one: order[one.line])
        for parts in zip(*of_client, strict=True)
    ]
    named = encoder.revision, encoder.dimension
    return Setting(base, named, settings, logs, arguments.rounds), together


def scenarios(arguments: argparse.Namespace) -> list[Scenario]:
    """Those asked for, or all."""
    noisy = Privacy(arguments.clip, arguments.noise)
    secret = Hiding(secret=bytes(32))
    told = f"ε = {epsilon(arguments.noise, arguments.rounds):.1f}"
    lag = arguments.deadline
    every = [
        Scenario("mean", "mean"),
        Scenario("trimmed mean", "trimmed-mean"),
        Scenario("Krum", "krum"),
        Scenario("mean, one lies", "mean", "lies"),
        Scenario("trimmed mean, one lies", "trimmed-mean", "lies"),
        Scenario("Krum, one lies", "krum", "lies"),
        Scenario("mean, one dies", "mean", "dies"),
        Scenario("mean, one lags", "mean", "lags", deadline_s=lag),
        Scenario(f"mean, noise of {told}", "mean", hiding=Hiding(privacy=noisy)),
        Scenario("secure sum", "mean", hiding=secret),
        Scenario("secure sum, one dies", "mean", "dies", secret),
    ]
    return [one for one in every if not arguments.only or one.name in arguments.only]


def _apart(setting: Setting, together: Sequence[Sequence[LogRecord]]) -> dict[str, Any]:
    """One learner of all events, and each client by itself."""
    alone = forked(
        [
            lambda: played(setting.base, together),
            *(
                lambda log=log: played(setting.base, log.stretches(setting.rounds))
                for log in setting.logs
            ),
        ],
        3_600.0,
    )
    return {
        "one learner of all events": {"all": pooled(alone[:1])},
        "each alone": {"others": pooled(alone[1:-1]), "all": pooled(alone[1:])},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=6_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--deadline", type=float, default=30.0)
    parser.add_argument("--clip", type=float, default=0.5)
    parser.add_argument("--noise", type=float, default=2.8)
    parser.add_argument("--seed", type=int, default=0, help="of who is whose; 0: as they come")
    parser.add_argument("--federations", action="store_true", help="these alone")
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    run = BenchRun(__file__, arguments, arguments.log)
    busy = load()
    torch.set_num_threads(1)
    setting, together = prepared(arguments)
    rows = {} if arguments.federations else _apart(setting, together)
    for scenario in scenarios(arguments):
        started = time.perf_counter()
        told, *clients = federated(setting, scenario)
        rows[scenario.name] = {
            "others": pooled(clients[:-1]),
            "all": pooled(clients) if not scenario.bad else None,
            "told": told["told"],
            "seconds": round(time.perf_counter() - started, 1),
        }
        print(f"{scenario.name}: {rows[scenario.name]}", file=sys.stderr, flush=True)
    Console().print(_table(rows))
    run.tell(
        {
            "log": str(arguments.log),
            "ratings": arguments.ratings,
            "clients": arguments.clients,
            "rounds": arguments.rounds,
            "seed": arguments.seed,
            "hardware": hardware(),
            "load": busy,
            "ndcg10": rows,
        }
    )


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _table(rows: Mapping[str, Any]) -> Table:
    table = Table(title="NDCG@10 of the other clients (of all)")
    for column in ("", *SLICES):
        table.add_column(column)
    for name, row in rows.items():
        cells = [
            " ".join([_shown(row.get("others"), one), f"({_shown(row.get('all'), one)})"])
            for one in SLICES
        ]
        table.add_row(name, *cells)
    return table


def _shown(figures: Mapping[str, float | None] | None, name: str) -> str:
    value = figures.get(name) if figures else None
    return "-" if value is None else f"{value:.4f}"


if __name__ == "__main__":
    main()
