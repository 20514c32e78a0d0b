"""What an event costs the learner as a stream grows long: time and memory at growing lengths, on
synthetic events; and what lists and announcements cost at a catalogue's size.

    python bench/speed/cost.py [--events N] [--items M] [--seed S]
    python bench/speed/cost.py --catalogue 10000 --catalogue 200000

Items by a power law, users who come back now and then, vectors at random. One target in four is
tested, as in a busy stream. The first line stands for warm-up, so ratios are to the second. Prints
a table, then one JSON object.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware
from bench.results.bench_run import BenchRun
from learner.counts.events import HISTORY
from learner.training.learner import Learner
from upwell.ports import RankRequest
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem, Example, Interaction, UserState

DIMENSION = 64
USERS = 20_000
TESTED_EVERY = 4
BATCH = 256
FIRST = 10_000
GROWTH = 10 ** (1 / 4)
TRIES = 15


def catalogue(items: int, rng: np.random.Generator) -> list[CatalogueItem]:
    vectors = rng.normal(size=(items, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        CatalogueItem(
            item_id=f"i{n}",
            ts=0,
            title=f"Item {n}",
            vector=vector,
            revision="r",
            categories=(f"c{n % 20}",),
        )
        for n, vector in enumerate(vectors)
    ]


def stream(items: int, rng: np.random.Generator) -> Iterator[Example]:
    """Endless, in the order of offsets."""
    pasts: dict[str, deque[Interaction]] = {}
    offset = 0
    while True:
        users = rng.integers(USERS, size=BATCH)
        rows = (items * rng.random(BATCH) ** 3).astype(int)
        for user_number, row in zip(users.tolist(), rows.tolist(), strict=True):
            user, past = (
                f"u{user_number}",
                pasts.setdefault(f"u{user_number}", deque(maxlen=HISTORY)),
            )
            event = Interaction(
                f"e{offset}", 1_000 * offset, f"i{row}", "review", 5.0, "reviews-0", offset
            )
            had = tuple(str(one.item_id) for one in past)
            tested = offset % TESTED_EVERY == 0
            yield Example(
                source="reviews-0",
                offset=offset,
                user=user,
                event=event,
                history=tuple(past),
                intent=None,
                user_events=len(past),
                tested=tested,
                had=had if tested else (),
            )
            past.append(event)
            offset += 1


def measure(events: int, items: int, seed: int) -> list[dict[str, Any]]:
    """At each length reached: ms an event since the one before, bytes of what was learned, peak
    memory of the process.
    """
    rng = np.random.default_rng(seed)
    learner = Learner(LearnerSettings(seed=seed), DIMENSION, seed)
    learner.add_items(catalogue(items, rng))
    examples, done, goal, spent, counted = stream(items, rng), 0, float(FIRST), 0.0, 0
    found = []
    while done < events:
        batch = [next(examples) for _ in range(BATCH)]
        started = time.process_time()
        learner.learn(batch)
        spent += time.process_time() - started
        done += BATCH
        if done >= min(goal, events):
            learned = sum(array.nbytes for array in learner.arrays().values())
            found.append(
                {
                    "events": done,
                    "ms_an_event": round(1000 * spent / (done - counted), 3),
                    "learned_mb": round(learned / 1e6, 1),
                    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                }
            )
            print(found[-1], flush=True)
            goal, spent, counted = goal * GROWTH, 0.0, done
    return found


def at_size(items: int, seed: int) -> dict[str, Any]:
    """ms, the median of several tries, of what a serve worker does between and for lists."""
    rng = np.random.default_rng(seed)
    learner = Learner(LearnerSettings(seed=seed, fused=False), DIMENSION, seed)
    known = catalogue(items, rng)
    learner.add_items(known)
    examples = stream(items, rng)
    batch = [next(examples) for _ in range(8 * BATCH)]
    learner.learn(batch)
    states = [
        UserState(user=one.user, intent=known[0].vector, history=one.history, had=one.had)
        for one in batch[-TRIES:]
    ]
    priced = [replace(known[n], price=float(n)) for n in range(TRIES)]
    later = [replace(known[n], ts=1) for n in range(TRIES)]
    others = catalogue(TRIES, np.random.default_rng(seed + 1))
    rewritten = [
        replace(known[n], text="another", vector=one.vector) for n, one in enumerate(others)
    ]
    added = [replace(one, item_id=f"new{n}") for n, one in enumerate(others)]

    def announced(item: CatalogueItem) -> None:
        learner.add_items([item])
        learner.ranking.state()

    def listed(state: UserState) -> None:
        learner.rank([RankRequest(state=state, k=20)])

    return {
        "items": items,
        "list_ms": _median_ms(listed, states),
        "price_ms": _median_ms(announced, priced),
        "announced_again_ms": _median_ms(announced, later),
        "new_item_ms": _median_ms(announced, added),
        "new_text_ms": _median_ms(announced, rewritten),
    }


def _median_ms(action: Callable[[Any], None], values: Sequence[Any]) -> float:
    spent = []
    for value in values:
        started = time.process_time()
        action(value)
        spent.append(time.process_time() - started)
    return round(1000 * float(np.median(spent)), 3)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--catalogue", type=int, action="append", help="items; may be repeated")
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments)
    if arguments.catalogue:
        sizes = []
        for items in arguments.catalogue:
            sizes.append(at_size(items, arguments.seed))
            print(orjson.dumps(sizes[-1]).decode(), flush=True)
        tracked.tell({"seed": arguments.seed, "hardware": hardware(), "catalogues": sizes})
        return
    found = measure(arguments.events, arguments.items, arguments.seed)
    table = Table("events", "ms an event", "learned, MB", "peak of the process, MB")
    for line in found:
        table.add_row(
            f"{line['events']:,}",
            *(str(line[name]) for name in ("ms_an_event", "learned_mb", "peak_mb")),
        )
    Console(width=100).print(table)
    tracked.tell(
        {
            "items": arguments.items,
            "seed": arguments.seed,
            "hardware": hardware(),
            "lengths": found,
        }
    )


if __name__ == "__main__":
    main()
