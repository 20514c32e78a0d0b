"""Records that a broker takes, whatever is in them: examples of one source cut into several, lists
with shorter words.

An event is bounded (`upwell.schema`), but a batch of them with their users' states is not, and an
event whose effect no broker takes would stop the worker again and again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stream.chain.wire import encode_examples
from upwell.codec import recommendations_value
from upwell.recommendations import Entry, Recommendations
from upwell.values import Example

__all__ = ["MAX_EXAMPLES_BYTES", "MAX_LIST_BYTES", "examples_within", "list_within"]

MAX_EXAMPLES_BYTES = 8 << 20
"""Half of what the producer sends in one record; the items that a user had may be 10,000 ids of 256
characters.
"""
MAX_LIST_BYTES = 900_000
"""A broker takes records of 1 MiB by default, key and headers with them."""
SHORT = 80
"""Characters left of a title, and of the words that caused an entry, where a list would be too
large.
"""


def examples_within(
    examples: Sequence[Example], limit: int = MAX_EXAMPLES_BYTES
) -> Iterator[bytes]:
    """Records of the `examples` topic of at most `limit` bytes, in the order of the examples of one
    source.

    One that is too large by itself is learned from and not tested: what its user had goes only with
    a tested one.
    """
    record = encode_examples(examples)
    if len(record) <= limit:
        yield record
    elif len(examples) > 1:
        half = len(examples) // 2
        yield from examples_within(examples[:half], limit)
        yield from examples_within(examples[half:], limit)
    else:
        yield encode_examples([replace(examples[0], tested=False, had=())])


def list_within(recommendations: Recommendations, limit: int = MAX_LIST_BYTES) -> bytes:
    """The record of a list; one of more than `limit` bytes has its titles and causes cut to `SHORT`
    characters.
    """
    value = recommendations_value(recommendations)
    if len(value) <= limit:
        return value
    return recommendations_value(
        replace(recommendations, items=tuple(map(_shortened, recommendations.items)))
    )


def _shortened(entry: Entry) -> Entry:
    reasons = tuple(replace(reason, because=_cut(reason.because)) for reason in entry.reasons)
    return replace(entry, title=_cut(entry.title), reasons=reasons)


def _cut(words: str | None) -> str | None:
    return words if words is None or len(words) <= SHORT else words[: SHORT - 1] + "…"
