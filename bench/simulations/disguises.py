"""A policy beside the library better-profanity, with that library's own list of English words:
words disguised in each of many ways, each behind a title of a log; and what is hit in texts in
which none of the words stands as a word.

    python -m bench.simulations.disguises LOG [--texts FILE.csv] [--words 2000] [--seed 7]

LOG: whose titles are the innocent texts; --texts: a CSV whose first column is more of them. Found
is the share of disguised words; innocent is a text that has none of the list's words between two
characters that are no letters, whatever the case. The times are of one process. Needs `pip install
better-profanity`. Prints a table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import csv
import re
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from stream.chain.policy.terms import Terms
from stream.replay.log import LogRecord, read_log
from upwell.events import Topic

LEAST = 4
"""Letters of a word that is disguised."""
EXAMPLES = 12
DIGITS = str.maketrans("aeios", "43105")
SIGNS = str.maketrans("as", "@$")
ALIKE = str.maketrans("aeopcxyi", "аеорсхуі")
WIDE = {code: code + 0xFEE0 for code in range(ord("a"), ord("z") + 1)}
Disguise = Callable[[str, Random], str]
Finder = Callable[[str], bool]


def inside(word: str, random: Random, change: Callable[[str], str]) -> str:
    """The word with one letter changed that is neither its first nor its last."""
    place = random.randrange(1, len(word) - 1)
    return word[:place] + change(word[place]) + word[place + 1 :]


DISGUISES: dict[str, Disguise] = {
    "as it is": lambda word, random: word,
    "upper case": lambda word, random: word.upper(),
    "full width": lambda word, random: word.translate(WIDE),
    "accent": lambda word, random: inside(word, random, lambda letter: f"{letter}\u0301"),
    "digits": lambda word, random: word.translate(DIGITS),
    "signs": lambda word, random: word.translate(SIGNS),
    "a star": lambda word, random: inside(word, random, lambda letter: "*"),
    "drawn out": lambda word, random: inside(word, random, lambda letter: 4 * letter),
    "spaced": lambda word, random: " ".join(word),
    "dotted": lambda word, random: ".".join(word),
    "invisible": lambda word, random: inside(word, random, lambda letter: f"{letter}\u200b"),
    "look-alikes": lambda word, random: word.translate(ALIKE),
}


def innocent(texts: Sequence[str], words: Sequence[str]) -> list[str]:
    """Those in which no word stands by itself."""
    plain = re.compile(rf"(?<![a-z])(?:{'|'.join(map(re.escape, words))})(?![a-z])", re.IGNORECASE)
    return [text for text in texts if plain.search(text) is None]


def measured(
    finder: Finder, disguised: dict[str, list[str]], others: Sequence[str]
) -> dict[str, Any]:
    """Shares found by disguise, hits among the innocent with some of them, microseconds a text."""
    started = time.perf_counter()
    found = {
        kind: sum(map(finder, texts)) / len(texts) if texts else 0.0
        for kind, texts in disguised.items()
    }
    hits = [text for text in others if finder(text)]
    seconds = time.perf_counter() - started
    count = len(others) + sum(map(len, disguised.values()))
    return {
        "found": {kind: round(share, 4) for kind, share in found.items()},
        "false_hits": len(hits),
        "of": len(others),
        "examples": hits[:EXAMPLES],
        "us_a_text": round(1e6 * seconds / count, 1),
    }


def titles_of(log: Path) -> list[str]:
    records = (one for one in read_log(log) if isinstance(one, LogRecord))
    items = (one for one in records if one.topic is Topic.ITEMS)
    return [title for one in items if (title := orjson.loads(one.value).get("title"))]


def first_column(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[0] for row in islice(csv.reader(file), 1, None) if row and row[0]]


def show(result: dict[str, Any]) -> None:
    sides = result["sides"]
    table = Table("", *sides, title=f"{result['words']} words, {result['hardware']}")
    for kind in DISGUISES:
        table.add_row(kind, *(f"{side['found'][kind]:.3f}" for side in sides.values()))
    table.add_row(
        "false hits", *(f"{one['false_hits']} of {one['of']:,}" for one in sides.values())
    )
    table.add_row("µs a text", *(f"{side['us_a_text']}" for side in sides.values()))
    Console(width=100).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--words", type=int, default=2_000, help="that are disguised, each way")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    tracked, before, random = BenchRun(__file__, given, given.log), load(), Random(given.seed)
    library: Any = import_module("better_profanity")
    folder = Path(str(library.__file__)).parent
    listed = (folder / "profanity_wordlist.txt").read_text("utf-8").split("\n")
    listed = [word for word in listed if any(letter.isalnum() for letter in word)]
    single = [word for word in listed if word.isascii() and word.isalpha() and len(word) >= LEAST]
    titles = titles_of(given.log)
    others = innocent(titles + (first_column(given.texts) if given.texts else []), listed)
    drawn = [(random.choice(single), random.choice(others)) for _ in range(given.words)]
    disguised = {
        kind: [f"{text} {disguise(word.lower(), random)}" for word, text in drawn]
        for kind, disguise in DISGUISES.items()
    }
    terms = Terms(listed)
    library.profanity.load_censor_words()
    finders: dict[str, Finder] = {
        "upwell": lambda text: bool(terms.find(text)),
        "better-profanity": library.profanity.contains_profanity,
    }
    sides = {name: measured(finder, disguised, others) for name, finder in finders.items()}
    result = {"words": len(listed), "hardware": hardware(), "load_before": before, "sides": sides}
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
