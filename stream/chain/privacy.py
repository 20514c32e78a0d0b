"""Privacy before anything is stored, learned or encoded: keyed pseudonyms for user ids, personal
data scrubbed from text. Of the same key: lots, which nobody who chooses ids can choose.

A pseudonym is HMAC-SHA-256 (RFC 2104) of the id, its first 128 bits: a collision among a billion
users has a chance of 10⁻²¹. Whoever holds the key finds a user's state from the id; nobody else
does.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Sequence
from hashlib import blake2b, sha256
from pathlib import Path

from upwell.errors import SettingsError

__all__ = ["MIN_KEY_BYTES", "Pseudonymizer", "load_or_create_key", "scrub"]

MIN_KEY_BYTES = 32
_PSEUDONYM_HEX = 32

# Matching takes linear time on any text: repetitions are bounded or possessive, and a run of
# numbers is consumed whole.
_EMAIL = re.compile(r"[\w.%+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,62}")
_RUN = re.compile(r"(?<![\w.,+⟩-])\+?(?:\(\d{1,5}\)|\d++)(?:[ .-]{0,2}+(?:\(\d{1,5}\)|\d++))*+")
_NO_END = re.compile(
    r"[\w-]|[.,][\d⟨]|\s?/\s?\d{1,4}(?!\d|[ .-]{0,2}\(?\d)"
)  # a number followed by /10 is a score
_PART = re.compile(r"\+?(?:\(\d+\)|\d+)")
_JOINED = re.compile(r"[.-][\d(]")
_MOST_PARTS = 8
_CARD_DIGITS = range(13, 20)
_PHONE_DIGITS = range(7, 16)
_NATIONAL_PHONE_DIGITS = range(9, 13)
_CARD_STARTS = "23456"  # of the payment networks; 978 begins an ISBN, 1 a time in milliseconds
_AREA_CODE = re.compile(r"(?:\+?\d{1,3}[ .-]{0,2})?\((?!(?:1[5-9]|20)\d\d\))\d{1,5}\)")
_YEAR_IN_BRACKETS = re.compile(r"\((?:1[5-9]|20)\d\d\)")
_LOCAL_NUMBER = re.compile(r"[2-9]\d\d-(?!19|20|\d\d00)\d{4}")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_NO_PHONES = (
    re.compile(
        r"(?<!\d)(?:\d{1,2}[.-]\d{1,2}[.-]\d{4}|\d{4}[.-]\d{1,2}[.-]\d{1,2})(?!\d)"
    ),  # a date
    re.compile(r"^[1-9]\d{0,2}([ .])\d{3}(?:\1\d{3})+$"),  # thousands
    re.compile(r"^(?:\d{1,3}(?:\.\d{1,3}){3}|\d+\.\d+)$"),  # an IP address, a decimal
)


class Pseudonymizer:
    """key: at least 32 bytes. The key is in no repr."""

    __slots__ = ("_key", "_lot_key")

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise SettingsError(
                f"the pseudonyms' key has {len(key)} bytes: it needs {MIN_KEY_BYTES}; set "
                "UPWELL_KEY to 64 hex digits"
            )
        self._key = key
        self._lot_key = blake2b(key, digest_size=32, person=b"upwell lots").digest()

    def pseudonym(self, user_id: str) -> str:
        """32 hex digits, the same for the same id and key."""
        return hmac.new(self._key, user_id.encode(), sha256).hexdigest()[:_PSEUDONYM_HEX]

    def lot(self, purpose: str, event_id: str) -> str:
        """32 hex digits, the same for the same purpose, id and key; of another purpose they tell
        nothing. They are an event's lot: ids are the app's to choose, what falls on them is not.
        """
        text = f"{purpose}\n{event_id}".encode()
        return blake2b(text, digest_size=16, key=self._lot_key).hexdigest()

    def share(self, purpose: str, event_id: str) -> float:
        """The same lot as a number in [0, 1), each as likely as the other."""
        return int(self.lot(purpose, event_id)[:13], 16) / 16.0**13


def load_or_create_key(path: Path) -> bytes:
    """The key kept at `path`; a fresh one is made (readable by its owner alone) when there is none.
    Raises `SettingsError`.
    """
    try:
        if not path.exists():
            _create_key(path)
        key = path.read_bytes()
    except OSError as exc:
        raise SettingsError(
            f"the pseudonyms' key {path} cannot be kept: {exc.strerror}; set UPWELL_DATA or "
            "UPWELL_KEY"
        ) from exc
    if len(key) < MIN_KEY_BYTES:
        raise SettingsError(
            f"the pseudonyms' key {path} is torn ({len(key)} bytes): restore it; with "
            "another key all users are new"
        )
    return key


def scrub(text: str) -> str:
    """The text with e-mail addresses, card numbers (Luhn-checked) and phone numbers replaced by
    ⟨email⟩, ⟨card⟩, ⟨phone⟩.

    Years, dates, prices, scores, IP addresses, ISBNs of 13 digits and numbers in titles stay. Of 10
    to 12 digits, what can be a phone number goes, an ISBN of 10 among them: of two errors this one
    is harmless. Digits that are spelled out or set one by one stay.
    """
    if "@" in text:
        text = _EMAIL.sub("⟨email⟩", text)
    return _RUN.sub(_mask_run, text)


def _create_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(MIN_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)  # the first of two processes wins, both then read the same key
    finally:
        os.unlink(name)


def _mask_run(match: re.Match[str]) -> str:
    """Of the numbers that stand together, each stretch that is one card or phone: a card and its
    CVV, two phones in a row.
    """
    shown = match[0]
    if len(shown) < min(_PHONE_DIGITS):
        return shown
    parts = [part.span() for part in _PART.finditer(shown)]
    groups = [shown[first:last].strip("+()") for first, last in parts]
    if _NO_END.match(match.string, match.end()):
        parts.pop()
    kept: list[str] = []
    start = done = 0
    while start < len(parts):
        for end in range(min(len(parts), start + _MOST_PARTS), start, -1):
            first, last = parts[start][0], parts[end - 1][1]
            whole = not ((start > 0 and shown[first - 1] in ".-") or _JOINED.match(shown, last))
            if (kind := _kind_of_number(shown[first:last], groups[start:end], whole)) is not None:
                kept += [shown[done:first], kind]
                start, done = end, last
                break
        else:
            start += 1
    return "".join(kept) + shown[done:]


def _kind_of_number(shown: str, groups: Sequence[str], whole: bool) -> str | None:
    """whole: no hyphen or dot joins it to the number before or after; a phone number is no part of
    3.14159265358.
    """
    length = sum(map(len, groups))
    if length in _CARD_DIGITS and _is_card("".join(groups)):
        return "⟨card⟩"
    return (
        "⟨phone⟩"
        if whole and length in _PHONE_DIGITS and _reads_like_a_phone(shown, groups, length)
        else None
    )


def _reads_like_a_phone(shown: str, groups: Sequence[str], length: int) -> bool:
    """An international one, one with its area code in brackets, or 10 to 12 digits (9 after a 0 or
    with hyphens).

    A short one only as 555-0123. Never years, dates, IP addresses, thousands, round numbers or one
    digit again and again.
    """
    if shown[0] == "+" or (shown.count("(") == 1 and _AREA_CODE.match(shown)):
        return True
    if length == 7:
        return _LOCAL_NUMBER.fullmatch(shown) is not None
    if not (length in _NATIONAL_PHONE_DIGITS or (length >= 10 and groups[0].startswith("00"))):
        return False
    if len(groups) == 1:
        return length >= 10 and len(set(groups[0])) > 2
    if length == 9 and groups[0][0] != "0" and "-" not in shown:
        return False
    if all(group[-1] == "0" for group in groups) or len(set(groups)) == 1 or _only_pairs(groups):
        return False
    years = any(map(_YEAR.fullmatch, groups[:-1])) or _YEAR_IN_BRACKETS.search(shown)
    return not (years or any(other.search(shown) for other in _NO_PHONES))


def _only_pairs(groups: Sequence[str]) -> bool:
    """Groups of one or two digits, as lists of scores have them; only a number that starts with 0
    (06 12 34 56 78) is written so.
    """
    return max(map(len, groups)) < 3 and groups[0][0] != "0"


def _is_card(digits: str) -> bool:
    return digits[0] in _CARD_STARTS and len(set(digits)) > 1 and _luhn(digits)


def _luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
