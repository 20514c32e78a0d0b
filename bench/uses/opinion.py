"""A watch of opinions: how well moods are told, topics found, surges found how soon, and how many
alarms are raised where nothing happens.

    python -m bench.uses.opinion [--posts FILES...] [--stream FILES...] [--text COLUMN]
        [--kind COLUMN] [--day 10000] [--kinds 6] [--permutations 3] [--seed 7] [--slow]

--posts: JSON of texts with a sentiment in [-1, 1], as FiQA 2018 and SemEval 2017 task 5 have them.
Each in an order drawn by the seed, test then learn. --stream: CSV of texts and their kind. Their
order is drawn anew for each permutation, which nothing has changed in; then a surge of one kind is
put into such an order, of so many of all posts from there on. --day: so many posts are a day.
--slow: with river's DBSTREAM, too, on the first 2,000. Prints tables, then one JSON object as the
last line.

Peers: VADER, a lexicon; ridge regression refitted every 50 posts, and SGDRegressor an example at a
time, on the same vectors; MiniBatchKMeans on the same vectors, which is told how many kinds there
are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from bench.uses.opinion_peers import clusterings, moods
from bench.uses.opinion_streams import Stream, alarms, found, topics_of
from bench.uses.support import encoded, read_questions

SHARES = (0.05, 0.1, 0.2, 0.4)
ASKED = (1.0, 10.0)
FIRST = 4_000
"""Posts before a surge."""


def read_posts(path: Path) -> list[tuple[str, float]]:
    """Texts and their sentiment; the mean where it has several."""
    said = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(said, list):
        return [(one["title"], float(one["sentiment"])) for one in said]
    return [
        (
            one["sentence"],
            float(np.mean([float(about["sentiment_score"]) for about in one["info"]])),
        )
        for one in said.values()
    ]


def told_moods(told: Sequence[float | None], right: Sequence[float]) -> dict[str, Any]:
    """What is not told is 0. F1: the mean of those of both signs."""
    known = np.array([0.0 if one is None else one for one in told])
    labels = np.array(right)
    report = {}
    for name, part in (("", slice(None)), ("_second_half", slice(len(labels) // 2, None))):
        mine, their = known[part], labels[part]
        spread = float(((their - their.mean()) ** 2).sum())
        report[f"r2{name}"] = round(1.0 - float(((mine - their) ** 2).sum()) / spread, 4)
        report[f"mae{name}"] = round(float(np.abs(mine - their).mean()), 4)
        report[f"f1{name}"] = round((sign_f1(mine, their) + sign_f1(-mine, -their)) / 2.0, 4)
    return report


def sign_f1(told: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    both = float(np.sum((told > 0) & (right > 0)))
    return 2.0 * both / max(1.0, float(np.sum(told > 0) + np.sum(right > 0)))


def sentiment(files: Sequence[Path], seed: int) -> dict[str, Any]:
    """By file, by side."""
    result = {}
    for path in files:
        posts = read_posts(path)
        order = np.random.default_rng(seed).permutation(len(posts))
        texts = [posts[place][0] for place in order]
        right = [posts[place][1] for place in order]
        told = moods(texts, encoded(texts), right)
        result[path.stem] = {
            "posts": len(posts),
            **{name: told_moods(one, right) for name, one in told.items()},
        }
    return result


def moods_alarms(files: Sequence[Path], given: argparse.Namespace) -> list[dict[str, Any]]:
    """False alarms of all posts with their labels, in any order: of moods too."""
    posts = [one for path in files for one in read_posts(path)]
    texts = [text for text, _ in posts]
    stream = Stream(texts, [], encoded(texts), given.day, [label for _, label in posts])
    return [alarms(stream, asked, given.permutations, given.seed) for asked in ASKED]


def surges(stream: Stream, kinds: Sequence[str], seed: int) -> list[dict[str, Any]]:
    """Of each share, over these kinds, new ones and known ones."""
    rows = []
    for usual in (0.0, 0.3):
        for share in SHARES:
            runs = [found(stream, kind, usual, share, FIRST, seed) for kind in kinds]
            there = [one for one in runs if one["posts"] is not None]
            rows.append(
                {
                    "kind": "known" if usual else "new",
                    "share": share,
                    "runs": len(runs),
                    "found": len(there),
                    "posts": float(np.median([one["posts"] for one in there])) if there else None,
                    "of_the_kind": float(np.median([one["of_kind"] for one in there]))
                    if there
                    else None,
                    "false": sum(one["false"] for one in runs),
                    "days": round(sum(one["days"] for one in runs), 2),
                }
            )
    return rows


def watched(stream: Stream, given: argparse.Namespace) -> dict[str, Any]:
    """Topics, false alarms, surges."""
    random = np.random.default_rng(given.seed)
    kinds = sorted(set(stream.kinds))
    drawn = random.choice(kinds, min(given.kinds, len(kinds)), replace=False).tolist()
    order = random.permutation(len(stream.texts))[:4_000]
    return {
        "topics": {
            "upwell": topics_of(stream, order),
            **clusterings(stream.vectors[order], [stream.kinds[one] for one in order], given.slow),
        },
        "false_alarms": [alarms(stream, asked, given.permutations, given.seed) for asked in ASKED],
        "surges": surges(stream, drawn, given.seed),
        "kinds": drawn,
    }


def show(result: dict[str, Any]) -> None:
    console = Console(width=100)
    for name, sides in result["sentiment"].items():
        table = Table("", "R²", "MAE", "F1", "R² 2nd half", "MAE", "F1", title=name)
        for side, one in sides.items():
            if isinstance(one, dict):
                table.add_row(side, *(f"{figure:.3f}" for figure in one.values()))
        console.print(table)
    for key in ("false_alarms_with_moods", "false_alarms"):
        if key in result:
            table = Table("asked a day", "days", "seen", "seen a day", title=key.replace("_", " "))
            for one in result[key]:
                table.add_row(*(f"{one[name]:g}" for name in ("asked", "days", "seen", "a_day")))
            console.print(table)
    if "topics" not in result:
        return
    table = Table("", "topics", "NMI", "ARI", "in one", "ms a post", title="second half of 4,000")
    for side, one in result["topics"].items():
        table.add_row(side, *(f"{figure:g}" for figure in one.values()))
    console.print(table)
    table = Table("kind", "share", "found", "posts", "of the kind", "false", title="surges")
    for one in result["surges"]:
        cells = (one["share"], one["posts"], one["of_the_kind"], one["false"])
        share, posts, own, false = ("" if cell is None else f"{cell:g}" for cell in cells)
        table.add_row(one["kind"], share, f"{one['found']} of {one['runs']}", posts, own, false)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=Path, nargs="*", default=[])
    parser.add_argument("--stream", type=Path, nargs="*", default=[])
    parser.add_argument("--text", default="text")
    parser.add_argument("--kind", default="category")
    parser.add_argument("--day", type=int, default=10_000)
    parser.add_argument("--kinds", type=int, default=6)
    parser.add_argument("--permutations", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--slow", action="store_true")
    given = parser.parse_args()
    files = [*given.stream, *given.posts]
    if not files:
        parser.error("name files: --posts, --stream or both")
    tracked, before = BenchRun(__file__, given, files[0]), load()
    result: dict[str, Any] = {
        "hardware": hardware(),
        "load_before": before,
        "sentiment": sentiment(given.posts, given.seed),
    }
    if given.posts:
        result["false_alarms_with_moods"] = moods_alarms(given.posts, given)
    if given.stream:
        rows = read_questions(given.stream, given.text, given.kind)
        texts = [text for text, _ in rows]
        stream = Stream(texts, [kind for _, kind in rows], encoded(texts), given.day)
        result.update(watched(stream, given))
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
