"""An entry's signals to at most three sentences for people, strongest first. The exact shares stay
in the entry, for machines.
"""

from __future__ import annotations

import re
from pathlib import Path

from upwell.reasons.tables import BECAUSE, load_table
from upwell.recommendations import Entry, Reason

__all__ = ["Sentences"]

MOST = 3
LEAST_SHARE = 0.1
"""Of all that speaks for an entry: what is less is not worth a sentence, but for the strongest."""
MOST_CHARACTERS = 80
"""Of a title or of a search in a sentence."""
OTHER, EXPLORED, NOTHING = "other", "explored", "nothing"
SHARED = "shared_value"
"""What a signal of relations says where both have a value in common."""
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


class Sentences:
    """language: of `upwell.reasons.tables`. file: an app's own table over it. Raises
    `SettingsError` where there is none, or the file is not right.
    """

    def __init__(self, language: str = "en", file: Path | None = None) -> None:
        self._table = load_table(language, file)

    def of(self, entry: Entry) -> tuple[str, ...]:
        """One to three sentences: why the entry stands there. Never empty.

        That it stands there by lot comes first. What speaks against it is not told, and a signal
        of a newer engine that the table does not know is left out. Plain text: a page escapes it.
        """
        said: dict[str, float] = {}
        for reason in entry.reasons:
            if reason.weight > 0.0 and reason.signal in self._table and reason.signal != OTHER:
                sentence = self._sentence(reason)
                said[sentence] = said.get(sentence, 0.0) + reason.weight
        rest = sum(max(one.weight, 0.0) for one in entry.reasons if one.signal == OTHER)
        least = LEAST_SHARE * (sum(said.values()) + rest)
        lot = [self._table[EXPLORED].say] if entry.explored else []
        strongest = [
            sentence
            for place, sentence in enumerate(sorted(said, key=lambda one: -said[one]))
            if said[sentence] >= least or place == 0
        ]
        told = [*lot, *strongest][:MOST]
        if told and len(told) < MOST and rest > 0.0 and rest >= least:
            told.append(self._table[OTHER].say)
        return tuple(told or [self._table[NOTHING].say])

    def _sentence(self, reason: Reason) -> str:
        saying, because = self._table[reason.signal], reason.because or ""
        if reason.value is not None:
            saying = self._table[SHARED]
            because = f"{(reason.relation or '').replace('_', ' ')}: {reason.value}"
        because = _SPACE.sub(" ", because).strip()
        if not because:
            return saying.say
        if len(because) > MOST_CHARACTERS:
            because = because[: MOST_CHARACTERS - 1].rstrip() + "…"
        return saying.because.replace(BECAUSE, because)
