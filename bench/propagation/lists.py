"""Whether filling missing categories pays: NDCG@10 of a log with the categories of a share of the
items hidden, beside the same with what their nearest texts give them, and with the true ones.

    python -m bench.propagation.lists LOG [--ratings N] [--hide SHARE] [--seed S] [--vectors FILE]
    [--only NAME …]

As in bench/prequential.py: every target is ranked over the whole announced catalogue with the state
before it. `propagated` fills by votes of text neighbours announced before (bench/propagation/
labels.py, on texts without categories); `true, not in the text` says what filling could bring at
best: the hidden categories as features, the vector still of the text without. `without propagated
behaviour` is the whole log where what an item's text neighbours earned is no signal. Prints a
table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.peers.run import SLICES
from bench.prequential import Log, load_log, run_model
from bench.propagation.labels import filled, hidden, thresholds, votes
from bench.propagation.texts import ByText, Items, items_of, texts_of, vectors_of
from bench.results.bench_run import BenchRun
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.ports import Encoder
from upwell.settings import Settings, load_settings
from upwell.values import CatalogueItem, Vector

__all__ = ["CONDITIONS", "Filling", "figures", "propagated", "without_categories"]

CONDITIONS = (
    "hidden",
    "propagated",
    "true, not in the text",
    "nothing hidden",
    "without propagated behaviour",
)
BEHAVIOUR = ("text_popularity", "text_covisitation")
"""Signals by which an item has what its text neighbours earned."""

Given = Mapping[str, tuple[str, ...]]


class Filling(InlineEngine):
    """Gives items categories that their announcements did not name; their vectors stay. given: by
    id.
    """

    def __init__(self, settings: Settings, encoder: Encoder, given: Given) -> None:
        super().__init__(settings, encoder)
        self._given = given

    def _announce(self, items: Sequence[CatalogueItem]) -> None:
        super()._announce(
            [replace(one, categories=self._given.get(one.item_id, one.categories)) for one in items]
        )


def without_categories(log: Log, gone: Callable[[str], bool]) -> Log:
    """The same log, as if these items' announcements had named none."""

    def bare(record: LogRecord) -> LogRecord:
        value = orjson.loads(record.value or b"")
        if not gone(value["item_id"]):
            return record
        return replace(record, value=orjson.dumps({**value, "categories": []}))

    return replace(log, items=[bare(one) for one in log.items])


def propagated(items: Items, bare: Vector, gone: NDArray[np.bool_]) -> Given:
    """What the hidden items are given."""
    known = items.held.any(axis=1) & ~gone
    shares = votes(bare, items.held, known)
    given = filled(shares, thresholds(shares, items.held, known))
    return {items.ids[row]: items.categories(row, given) for row in np.flatnonzero(gone).tolist()}


def figures(
    name: str, log: Log, items: Items, given: Given, settings: Settings, encoder: Encoder
) -> dict[str, Any]:
    """Of one of `CONDITIONS`. given: what the hidden ones get by propagation."""
    true = {one: items.categories(row, items.held) for row, one in enumerate(items.ids)}
    fill: Given = {}
    if name in CONDITIONS[:3]:
        log = without_categories(log, given.__contains__)
    if name == "propagated":
        fill = given
    elif name == "true, not in the text":
        fill = {one: true[one] for one in given}
    engine = Filling(settings, encoder, fill)
    if name == "without propagated behaviour":
        engine.learner.parameters.gate.mute(BEHAVIOUR)
    seconds = run_model(log, engine)
    return {
        "ndcg10": engine.learner.figures.ndcg10(),
        "targets": engine.learner.figures.targets,
        "seconds": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=15_000)
    parser.add_argument("--hide", type=float, default=0.5, help="a share of the items")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--vectors", type=Path, help="kept here, read where they are")
    parser.add_argument("--only", nargs="*", choices=CONDITIONS, default=CONDITIONS)
    told, before = parser.parse_args(), load()
    tracked = BenchRun(__file__, told, told.log)
    log = load_log(told.log, None, told.ratings)
    values, items = items_of(log.items)
    full, bare = vectors_of(values, told.vectors)
    gone = hidden(items.held, told.hide, told.seed)
    texts = texts_of(values, labelled=True) + texts_of(values, labelled=False)
    encoder = ByText(texts, np.concatenate([full, bare]))
    settings = load_settings(os.environ, None)
    settings = replace(settings, learner=replace(settings.learner, seed=told.seed, test_sample=1.0))
    given = propagated(items, bare, gone)
    result: dict[str, Any] = {"hardware": hardware(), "load_before": before, "lists": {}}
    result |= {"hidden": int(gone.sum()), "items": len(gone), "ratings": len(log.events)}
    table = Table("NDCG@10", *SLICES)
    for name in told.only:
        found = figures(name, log, items, given, settings, encoder)
        result["lists"][name] = found
        table.add_row(name, *(f"{found['ndcg10'][one]:.4f}" for one in SLICES))
        print(name, found, flush=True)
    Console(width=100).print(table)
    tracked.tell(result)


if __name__ == "__main__":
    main()
