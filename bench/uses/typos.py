"""Slips of the keyboard, drawn by a generator: what people's hands do to a question.

A slip is in a word of four letters or more, never at its first letter: two letters swapped, one
missing, one twice, or the one beside it on an English keyboard instead.
"""

from __future__ import annotations

import re

import numpy as np

__all__ = ["BESIDE", "LEAST_LETTERS", "SLIPS", "slipped"]

LEAST_LETTERS = 4
_WORD = re.compile(r"[^\W\d_]{4,}")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
BESIDE = {
    letter: row[max(0, at - 1) : at] + row[at + 1 : at + 2]
    for row in _ROWS
    for at, letter in enumerate(row)
}
"""The letters left and right of each, in its row."""
SLIPS = ("swapped", "missing", "twice", "beside")


def slipped(text: str, slips: int, rng: np.random.Generator) -> str:
    """The text with so many slips, each in a word of its own; fewer where it has fewer words of
    four letters.
    """
    words = list(_WORD.finditer(text))
    several = min(slips, len(words))
    chosen: list[int] = rng.choice(len(words), several, replace=False).tolist() if words else []
    for place in sorted(chosen, reverse=True):  # those before stay where they are
        word = words[place]
        text = text[: word.start()] + _one(word.group(), rng) + text[word.end() :]
    return text


def _one(word: str, rng: np.random.Generator) -> str:
    """It differs from the word: what would change nothing is drawn again."""
    while True:
        at = int(rng.integers(1, len(word)))
        match SLIPS[int(rng.integers(len(SLIPS)))]:
            case "swapped":
                made = word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
            case "missing":
                made = word[:at] + word[at + 1 :]
            case "twice":
                made = word[:at] + word[at] + word[at:]
            case _:
                made = _beside(word, at, rng)
        if made != word:
            return made


def _beside(word: str, at: int, rng: np.random.Generator) -> str:
    near = BESIDE.get(word[at].lower())
    if near is None:
        return word
    letter = near[int(rng.integers(len(near)))]
    return word[:at] + (letter.upper() if word[at].isupper() else letter) + word[at + 1 :]
