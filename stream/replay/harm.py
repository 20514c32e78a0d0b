"""What a policy finds in a log: so that its lists are tried before they hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from stream.chain.policy import Policy
from stream.chain.policy.terms import Hit
from stream.chain.records import Record, decode_records
from stream.replay.inline import FOREVER_MS
from stream.replay.log import BadLine, LogRecord
from upwell.events import Item, Query, Review

__all__ = ["Found", "look_through"]

EXAMPLES = 3
_BEFORE = 30


@dataclass(slots=True)
class Found:
    """texts: of each topic, how many there were; harmful: how many of them had a term. terms: hits
    by list and term; examples: of each the first texts that had it.
    """

    texts: Counter[str] = field(default_factory=Counter)
    harmful: Counter[str] = field(default_factory=Counter)
    terms: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def report(self) -> dict[str, Any]:
        """JSON-ready, the most frequent term first."""
        return {
            "texts": dict(self.texts),
            "harmful": {topic: self.harmful[topic] for topic in self.texts},
            "terms": [
                {"list": name, "term": term, "hits": hits, "examples": self.examples[name, term]}
                for (name, term), hits in self.terms.most_common()
            ],
        }


def look_through(lines: Iterable[LogRecord | BadLine], policy: Policy) -> Found:
    """Texts of items (title, text, brand), reviews and queries, each as it stands in the log; what
    is no event is passed over.
    """
    found = Found()
    for topic, text in _texts(lines):
        hits = policy.hits(text)
        found.texts[topic] += 1
        found.harmful[topic] += bool(hits)
        for name, hit in hits:
            found.terms[name, hit.term] += 1
            if len(found.examples[name, hit.term]) < EXAMPLES:
                found.examples[name, hit.term].append(_around(text, hit))
    return found


def _texts(lines: Iterable[LogRecord | BadLine]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if isinstance(line, LogRecord):
            record = Record(line.topic, 0, line.line, line.value, 0, line.key)
            for arrival in decode_records([record], FOREVER_MS, Counter())[0]:
                event = arrival.event
                if isinstance(event, Item):
                    said = (event.title, event.text, event.brand)
                    yield line.topic, "\n".join(part for part in said if part)
                elif isinstance(event, Review | Query) and event.text:
                    yield line.topic, event.text


def _around(text: str, hit: Hit) -> str:
    begin = max(0, hit.start - _BEFORE)
    return " ".join(text[begin : hit.end + _BEFORE].split())
