"""When a search is like an override's query: by whole words, whatever the case, the width and the
white space. A character of a script that sets no spaces between words is a word of its own.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from upwell.events import Match

__all__ = ["is_like", "words_of"]

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u303f\u3040-\u30ff\u3100-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_WORDS = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")

Words = tuple[str, ...]


@lru_cache(maxsize=4_096)
def words_of(text: str) -> Words:
    """Its words, in one case and one width; punctuation is none. Of a text without a word, such as
    an emoji, its characters.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return tuple(_WORDS.findall(plain)) or tuple(plain.split())


def is_like(search: Words, query: Words, match: Match) -> bool:
    """Whether the search is the query, or has its words beside each other, in their order."""
    width = len(query)
    if match is Match.EQUALS or not width:
        return bool(width) and search == query
    return any(search[start : start + width] == query for start in range(len(search) - width + 1))
