"""The scrubber against the library `phonenumbers` on a seeded, labelled set: phones as people of
many lands write them; and what must stay: articles, prices, dates, years, orders, titles.

    python bench/speed/scrub.py data/movielens/events.jsonl.gz [--numbers 4000] [--seed 7]

The library finds numbers in text by the rules of a country: of none (international ones alone), and
of each of six in turn. Misses and false hits are of whole texts; times of one process.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random

import orjson

from bench.results.bench_run import BenchRun
from stream.chain.scrub import scrub
from stream.replay.log import LogRecord, read_log
from upwell.events import Topic

FORMATS = (
    *("+1 212 ### ####", "(212) ###-####", "212-###-####", "1-800-###-####", "212.###.####"),
    *("+44 20 #### ####", "020 #### ####", "07### ######", "+447#########", "0171 ######"),
    *("+49 30 ######", "030 ########", "0151 ########", "0049 89 #######", "+49 (0)40 #######"),
    *("+33 6 ## ## ## ##", "06 ## ## ## ##", "01.##.##.##.##", "+33 (0)1 ## ## ## ##"),
    *("+34 6## ### ###", "6## ### ###", "+39 06 #### ####", "+351 21 ### ####"),
    *("+81 90 #### ####", "090-####-####", "03-####-####", "+86 139 #### ####", "139########"),
    *("+91 98### #####", "98### #####", "9#########", "+55 11 9####-####", "(11) 9####-####"),
    *("+7 (495) ###-##-##", "8 (495) ###-##-##", "+61 4## ### ###", "04## ### ###"),
    *("+27 82 ### ####", "082 ### ####", "+52 55 #### ####", "+48 5## ### ###", "+31 6 ########"),
)
AROUND = ("call me at {}", "{}", "my number is {}, thanks", "order 12 came late, {} is mine")
REGIONS = ("US", "GB", "DE", "FR", "IN", "JP")
Finder = Callable[[str], bool]


def drawn(shape: str, random: Random) -> str:
    return "".join(str(random.randrange(10)) if one == "#" else one for one in shape)


def phones(count: int, random: Random) -> Iterator[str]:
    for _ in range(count):
        yield random.choice(AROUND).format(drawn(random.choice(FORMATS), random))


def gtin(length: int, random: Random, start: str = "") -> str:
    digits = start + "".join(str(random.randrange(10)) for _ in range(length - 1 - len(start)))
    total = sum(int(one) * (1 if place % 2 else 3) for place, one in enumerate(digits[::-1]))
    return f"{digits}{-total % 10}"


def isbn10(random: Random) -> str:
    while True:
        digits = [random.randrange(10) for _ in range(9)]
        check = -sum((10 - place) * one for place, one in enumerate(digits)) % 11
        if check < 10:
            return "".join(map(str, [*digits, check]))


def others(count: int, titles: list[str], random: Random) -> Iterator[tuple[str, str]]:
    """Kind and text of what is no phone number."""
    makers: dict[str, Callable[[], str]] = {
        "UPC": lambda: f"UPC {gtin(12, random)}",
        "EAN": lambda: f"EAN {gtin(13, random, '4')}",
        "ISBN": lambda: f"ISBN {isbn10(random)} or {gtin(13, random, '978')}",
        "price": lambda: drawn("only $#,###.## instead of #.###,## or ## ### ###", random),
        "date": lambda: f"on 20{drawn('##', random)}-0{random.randint(1, 9)}-1{drawn('#', random)}",
        "years": lambda: f"19{drawn('##', random)}-20{drawn('##', random)}, 1080p, 10/10",
        "order": lambda: drawn("order #8######, part AB12-####-####", random),
        "model": lambda: drawn("LEGO 75###, WH-1000XM4, RTX 40##, 8######", random),
        "title": lambda: random.choice(titles),
    }
    for number in range(count):
        kind = list(makers)[number % len(makers)]
        yield kind, makers[kind]()


def library(regions: tuple[str | None, ...]) -> Finder:
    import phonenumbers

    def found(text: str) -> bool:
        return any(phonenumbers.PhoneNumberMatcher(text, region).has_next() for region in regions)

    return found


def scrubbed(text: str) -> bool:
    return scrub(text) != text


def measured(finder: Finder, spoken: list[str], plain: list[tuple[str, str]]) -> dict[str, object]:
    started = time.perf_counter()
    missed = [text for text in spoken if not finder(text)]
    hits = [kind for kind, text in plain if finder(text)]
    seconds = time.perf_counter() - started
    return {
        "missed": round(len(missed) / len(spoken), 4),
        "false_hits": round(len(hits) / len(plain), 4),
        "false_hits_of": {kind: hits.count(kind) for kind in dict.fromkeys(hits)},
        "us_a_text": round(seconds * 1e6 / (len(spoken) + len(plain)), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--numbers", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    tracked = BenchRun(__file__, given, given.log)
    random = Random(given.seed)
    records = (one for one in read_log(given.log) if isinstance(one, LogRecord))
    titles = [
        orjson.loads(one.value)["title"]
        for one in islice((one for one in records if one.topic is Topic.ITEMS), 20_000)
    ]
    spoken = list(phones(given.numbers, random))
    plain = list(others(given.numbers, titles, random))
    finders: dict[str, Finder] = {
        "upwell": scrubbed,
        "phonenumbers, no country": library((None,)),
        "phonenumbers, US": library(("US",)),
        "phonenumbers, six countries": library(REGIONS),
    }
    figures = {name: measured(finder, spoken, plain) for name, finder in finders.items()}
    for name, one in figures.items():
        print(f"{name:<30}{one}")
    tracked.tell({"processor": platform.processor() or platform.machine(), **figures})


if __name__ == "__main__":
    main()
