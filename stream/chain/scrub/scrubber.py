"""The scrubber: addresses, then IBANs, then stretches of numbers, each told by how it is written
and by its check digits (docs/privacy.md, docs/decisions/0019).

It knows nothing about users or events. Matching takes linear time on any text: repetitions are
bounded or possessive, and a run of numbers is consumed whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stream.chain.scrub.check_digits import IBAN_LENGTHS, is_article, is_card, is_iban
from stream.chain.scrub.folding import Span, fold
from stream.chain.scrub.phones import PHONE_DIGITS, reads_like_a_phone

__all__ = ["scrub"]

_EMAIL = re.compile(r"[\w.%+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,62}")
_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9])")
_IBAN_PART = re.compile(r"[ -]?([A-Za-z0-9])")
_IBAN_GOES_ON = re.compile(r"[^\W_]")
_RUN = re.compile(
    r"(?<![\w+⟩-])(?:(?<![.,])|(?<=[^\W\d_][.,]))"
    r"\+?(?:\(\d{1,5}\)|\d++)(?:[ .-]{0,2}+(?:\(\d{1,5}\)|\d++))*+"
)
_NO_END = re.compile(
    r"[\w-]|[.,][\d⟨]|\s?/\s?\d{1,4}(?!\d|[ .-]{0,2}\(?\d)"
)  # a number followed by /10 is a score
_PART = re.compile(r"\+?(?:\(\d+\)|\d+)")
_JOINED = re.compile(r"[.-][\d(]")
_MOST_PARTS = 8
_CARD_DIGITS = range(13, 20)
_KNOWN_DIGITS = 5  # fewer are years, prices, sizes
_LIKE_AN_ISBN = re.compile(r"(?:97[89][ -])?\d{1,5}[ -]\d{1,7}[ -]\d{1,7}[ -]\d")
_CALLED_WITHIN = 24
_CALLED = re.compile(
    r"(?i:(?<![\w⟨])(?:(?:call|text|ring|reach)(?: me| us)?(?: at| on)?|(?:tele)?phone|mobile?"
    r"|cell|fax|whatsapp|sms|t[eé]l|t[eé]l[eé]fon[eo]?|handy|m[oó]vil|celular|cellulare|тел"
    r"|телефон|звоните|هاتف)|电话|電話|手机|전화|โทร)(?: no| nr| number)?\W{0,3}$"
)  # a word for a phone: what follows is one, also where its last digit checks
_A_DIGIT = re.compile(r"\d")

Known = Callable[[str], bool]


def scrub(text: str, known: Known | None = None) -> str:
    """The text with e-mail addresses, card numbers, IBANs and phone numbers replaced by ⟨email⟩,
    ⟨card⟩, ⟨iban⟩, ⟨phone⟩; all else stays as it came, character for character.

    known: whether digits are an article number of the catalogue, which is no phone. Of 10 to 12
    digits, what can be a phone number goes. Digits that are spelled out or set one by one stay.
    """
    folded = fold(text)
    if "@" in folded.text and (spans := list(_emails(folded.text))):
        folded = fold(folded.replace(spans))
    if not _A_DIGIT.search(folded.text):
        return folded.shown
    if spans := list(_ibans(folded.text)):
        folded = fold(folded.replace(spans))
    spans = [span for run in _RUN.finditer(folded.text) for span in _numbers(run, known)]
    return folded.replace(spans) if spans else folded.shown


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text):
        yield match.start(), match.end(), "⟨email⟩"


def _ibans(text: str) -> Iterator[Span]:
    """Whole ones: as many characters as the country's have, with single spaces or hyphens between
    them.
    """
    done = 0
    for match in _IBAN.finditer(text):
        length = IBAN_LENGTHS.get(match[0][:2].upper())
        if length is None or match.start() < done:
            continue
        letters, end = match[0], match.end()
        while len(letters) < length and (part := _IBAN_PART.match(text, end)):
            letters, end = letters + part[1], part.end()
        if is_iban(letters.upper()) and not _IBAN_GOES_ON.match(text, end):
            done = end
            yield match.start(), end, "⟨iban⟩"


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Numbers that stand together, as they are written.

    whole: no hyphen or dot joins it to the number before or after; a phone number is no part of
    3.14159265358.
    """

    shown: str
    groups: Sequence[str]
    whole: bool

    @property
    def digits(self) -> str:
        return "".join(self.groups)

    def kind(self, known: Known | None, called: bool) -> str | None:
        """What stands in its place; "" where it is an article and stays, None where it is neither.

        called: a word for a phone stands before it.
        """
        length = sum(map(len, self.groups))
        if self._is_article(known, called):
            return ""
        if length in _CARD_DIGITS and is_card(self.digits):
            return "⟨card⟩"
        if not (self.whole and length in PHONE_DIGITS):
            return None
        if not reads_like_a_phone(self.shown, self.groups, length):
            return None
        return "" if self._are_articles(known) else "⟨phone⟩"

    def _is_article(self, known: Known | None, called: bool) -> bool:
        """By its check digit, written as one number or as an ISBN is; or because the catalogue has
        it. What a `+`, brackets or dots make a phone number is none.
        """
        if self.shown.isdigit():
            return (known is not None and known(self.shown)) or (
                not called and is_article(self.shown)
            )
        return _LIKE_AN_ISBN.fullmatch(self.shown) is not None and is_article(self.digits)

    def _are_articles(self, known: Known | None) -> bool:
        """Numbers side by side, each of which the catalogue has."""
        return known is not None and all(
            len(group) >= _KNOWN_DIGITS and known(group) for group in self.groups
        )


def _numbers(run: re.Match[str], known: Known | None) -> Iterator[Span]:
    """Of the numbers that stand together, each stretch that is one card or phone: a card and its
    CVV, two phones in a row.
    """
    shown = run[0]
    if len(shown) < min(PHONE_DIGITS):
        return
    parts = [part.span() for part in _PART.finditer(shown)]
    groups = [shown[first:last].strip("+()") for first, last in parts]
    if _NO_END.match(run.string, run.end()):
        parts.pop()
    before = max(0, run.start() - _CALLED_WITHIN)
    called = _CALLED.search(run.string, before, run.start()) is not None
    start = 0
    while start < len(parts):
        for end in range(min(len(parts), start + _MOST_PARTS), start, -1):
            first, last = parts[start][0], parts[end - 1][1]
            whole = not ((start > 0 and shown[first - 1] in ".-") or _JOINED.match(shown, last))
            stretch = _Stretch(shown[first:last], groups[start:end], whole)
            if (kind := stretch.kind(known, called and start == 0)) is not None:
                if kind:
                    yield run.start() + first, run.start() + last, kind
                start = end
                break
        else:
            start += 1
