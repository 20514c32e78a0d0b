"""Whether a question is in words that are known of a template: a slip or another word leaves most
of them, another language hardly any.
"""

from __future__ import annotations

from collections.abc import Iterable

from learner.desk.ngrams import words_of

__all__ = ["reads"]


def reads(text: str, known: Iterable[str]) -> bool:
    """Whether half or more of its different words are in the texts that are known; false of a text
    without words.
    """
    words = set(words_of(text))
    left = set(words)
    for one in known:
        if 2 * len(left) <= len(words):
            break
        left.difference_update(words_of(one))
    return bool(words) and 2 * len(left) <= len(words)
