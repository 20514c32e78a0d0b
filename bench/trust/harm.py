"""The policy's classifier beside its lists and the library alt-profanity-check: false hits among
real texts of a kind that was not seen in training, and what is found of words put into them.

    python -m bench.trust.harm MOVIELENS STEAM --support FOLDER --finance FOLDER [--most N]
        [--words N] [--false-hits R] [--seed N]

MOVIELENS, STEAM: logs whose titles are texts; FOLDER: banking77 (train.csv, test.csv) and bitext
(bitext_short_answers.csv), FiQA's headlines and posts. No text here was labelled harmful by people.
Harmful are real texts with a word put in at a place by lot: words are those of the library's own
vocabulary that it calls profane with .9 or more, by themselves; of these seven tenths, the known
ones, are in the list and in training, as they are and in four of the disguises of
bench.simulations.disguises. The other words, forms and disguises come up in the test alone. Each
kind of texts is left out once: training is on the others; at last it is on half of each kind, and
the test on the other halves (own kinds). Harmless texts have none of the words between two
characters that are no letters. The library was trained on what people labelled and on all of these
words. Needs `pip install alt-profanity-check==1.9.1`. Prints a table, then one JSON object as the
last line.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from bench.simulations.disguises import DISGUISES, first_column, innocent, titles_of
from stream.chain.policy.classifier import Classifier
from stream.chain.policy.terms import Terms
from stream.chain.policy.training import Example, Share, learn

LEAST = 4
"""Letters of a word."""
PROFANE = 0.9
KNOWN = 0.7
SEEN = ("as it is", "upper case", "digits", "signs")
"""Disguises of the training."""
HARMFUL = 0.3
"""Of the training's texts."""
ENDINGS = ("s", "ish", "like", "ness", "fest")
TIMED = 500
OWN_KINDS = "own kinds"
Finder = Callable[[Sequence[str]], list[bool]]


def put_in(text: str, word: str, random: Random) -> str:
    """The text with the word between two of its words, or at an end."""
    said = text.split()
    said.insert(random.randrange(len(said) + 1), word)
    return " ".join(said)


def parted(words: Sequence[str], random: Random) -> tuple[list[str], list[str]]:
    """Known ones, and others of which none has a known one in it, or is in one: a form of a known
    word is no unknown word.
    """
    shuffled = random.sample(sorted(words), len(words))
    known = shuffled[: round(KNOWN * len(words))]
    others = shuffled[len(known) :]
    return known, [one for one in others if not any(one in by or by in one for by in known)]


def training(texts: Sequence[str], known: Sequence[str], random: Random) -> list[Example]:
    """Each text as it is; and some of them with a known word, in a disguise that is seen."""
    found = {text: Example(text, False) for text in texts}
    for text in random.sample(list(texts), round(HARMFUL * len(texts))):
        word = DISGUISES[random.choice(SEEN)](random.choice(known), random)
        said = put_in(text, word, random)
        found.setdefault(said, Example(said, True))
    return list(found.values())


def asked(
    texts: Sequence[str], known: Sequence[str], others: Sequence[str], count: int, random: Random
) -> dict[str, list[str]]:
    """Texts with a word, by what was done to it."""
    drawn = [(random.choice(texts), random.choice(known)) for _ in range(count)]
    found = {
        f"known, {kind}{'' if kind in SEEN else ' (unseen)'}": [
            put_in(text, disguise(word, random), random) for text, word in drawn
        ]
        for kind, disguise in DISGUISES.items()
    }
    found["known, with an ending (unseen)"] = [
        put_in(text, word + random.choice(ENDINGS), random) for text, word in drawn
    ]
    found["unknown words"] = [put_in(text, random.choice(others), random) for text, _ in drawn]
    return found


def compared(
    finders: Mapping[str, Finder], harmless: Sequence[str], harmful: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Share]]:
    """Of each side its false hits, and what it finds of each kind."""
    texts = {"false hits": harmless, **harmful}
    return {
        side: {kind: Share(sum(finder(said)), len(said)) for kind, said in texts.items()}
        for side, finder in finders.items()
    }


def pooled(rounds: Sequence[Mapping[str, Mapping[str, Share]]]) -> dict[str, dict[str, Share]]:
    """Of all rounds together."""
    return {
        side: {
            kind: Share(
                sum(one[side][kind].hits for one in rounds),
                sum(one[side][kind].of for one in rounds),
            )
            for kind in kinds
        }
        for side, kinds in rounds[0].items()
    }


def sources(given: argparse.Namespace) -> dict[str, list[str]]:
    support, finance = given.support, given.finance
    fiqa = orjson.loads((finance / "FiQA_post.json").read_bytes())
    heads = orjson.loads((finance / "SemEval2017Task5Headlines.json").read_bytes())
    with (support / "bitext_short_answers.csv").open(encoding="utf-8", newline="") as file:
        bitext = [row["instruction"] for row in csv.DictReader(file)]
    banking = [text for name in ("train.csv", "test.csv") for text in first_column(support / name)]
    return {
        "MovieLens titles": titles_of(given.movielens),
        "Steam titles": titles_of(given.steam),
        "banking77": banking,
        "bitext": bitext,
        "finance": [one["title"] for one in heads] + [one["sentence"] for one in fiqa.values()],
    }


def splits(kinds: Mapping[str, Sequence[str]]) -> dict[str, tuple[list[str], list[str]]]:
    """Texts of the training and of the test, by the kind that is left out; and of half of each."""
    found = {
        name: ([text for other in kinds if other != name for text in kinds[other]], list(texts))
        for name, texts in kinds.items()
    }
    halves = [[text for texts in kinds.values() for text in texts[half::2]] for half in (0, 1)]
    return found | {OWN_KINDS: (halves[0], halves[1])}


def microseconds(finder: Finder, texts: Sequence[str]) -> float:
    """A text, one by one."""
    started = time.perf_counter()
    for text in texts:
        finder([text])
    return round(1e6 * (time.perf_counter() - started) / len(texts), 1)


def finders_of(
    classifier: Classifier, terms: Terms, library: Any, threshold: float
) -> dict[str, Finder]:
    return {
        "list": lambda texts: [bool(terms.find(one)) for one in texts],
        "classifier": lambda texts: [bool(classifier.find(one)) for one in texts],
        "both": lambda texts: [bool(terms.find(one) or classifier.find(one)) for one in texts],
        "library": lambda texts: (library.predict_prob(list(texts)) >= threshold).tolist(),
    }


def told(shares: Mapping[str, Mapping[str, Share]]) -> dict[str, Any]:
    return {
        side: {
            kind: {
                "share": round(one.value, 5),
                "hits": one.hits,
                "of": one.of,
                "interval": [round(end, 5) for end in one.interval],
            }
            for kind, one in kinds.items()
        }
        for side, kinds in shares.items()
    }


def show(result: dict[str, Any], by_source: Mapping[str, Any]) -> None:
    sides = result["all"]
    table = Table("", *sides, title=f"{result['known']} known words, {result['hardware']}")
    for source, found in by_source.items():
        hits = [found[side]["false hits"] for side in sides]
        table.add_row(f"false hits: {source}", *(f"{one['hits']} of {one['of']:,}" for one in hits))
    for title, shares_of in (("left out", sides), (OWN_KINDS, by_source[OWN_KINDS])):
        for kind in next(iter(sides.values())):
            shares = (f"{shares_of[side][kind]['share']:.4f}" for side in sides)
            table.add_row(f"{title}: {kind}", *shares)
    table.add_row("µs a text", *(f"{result['us_a_text'][side]}" for side in sides))
    Console(width=110).print(table)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("movielens", type=Path)
    parser.add_argument("steam", type=Path)
    parser.add_argument("--support", type=Path, required=True)
    parser.add_argument("--finance", type=Path, required=True)
    parser.add_argument("--most", type=int, default=10_000, help="texts of a kind")
    parser.add_argument("--words", type=int, default=500, help="put into texts, each way, a kind")
    parser.add_argument("--false-hits", type=float, default=0.001)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def main() -> None:
    given = arguments()
    tracked, before, random = BenchRun(__file__, given, given.movielens), load(), Random(given.seed)
    library: Any = import_module("profanity_check")
    vocabulary = import_module("profanity_check.profanity_check").vectorizer.vocabulary_
    words = [one for one in vocabulary if one.isascii() and one.isalpha() and len(one) >= LEAST]
    sure = zip(words, library.predict_prob(words), strict=True)
    listed = [word for word, share in sure if share >= PROFANE]
    known, others = parted(listed, random)
    kinds = {}
    for name, texts in sources(given).items():
        fine = innocent(sorted(set(texts)), listed)
        kinds[name] = random.sample(fine, min(given.most, len(fine)))
    terms, rounds, took, finders = Terms(known), {}, [], {}
    for name, (rest, texts) in splits(kinds).items():
        started = time.perf_counter()
        model, _ = learn(training(rest, known, random), "harm", given.false_hits, given.seed)
        took.append(round(time.perf_counter() - started, 1))
        finders = finders_of(Classifier(model), terms, library, 0.5)
        harmful = asked(texts, known, others, given.words, random)
        rounds[name] = compared(finders, texts, harmful)
    timed = random.sample([text for some in kinds.values() for text in some], TIMED)
    by_source = {name: told(found) for name, found in rounds.items()}
    result = {
        "known": len(known),
        "unknown": len(others),
        "hardware": hardware(),
        "load_before": before,
        "learned_s": took,
        "us_a_text": {side: microseconds(finder, timed) for side, finder in finders.items()},
        "all": told(pooled([found for name, found in rounds.items() if name != OWN_KINDS])),
        "sources": by_source,
    }
    show(result, by_source)
    tracked.tell(result)


if __name__ == "__main__":
    main()
