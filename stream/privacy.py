"""Privacy before anything is stored, learned or encoded: keyed pseudonyms for user ids, personal data scrubbed from text.

A pseudonym is HMAC-SHA-256 (RFC 2104) of the id, its first 128 bits: a collision among a billion users has a chance of 10⁻²¹.
Whoever holds the key finds a user's state from the id; nobody else does.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import tempfile
from hashlib import sha256
from pathlib import Path

from upwell.errors import SettingsError

__all__ = ["MIN_KEY_BYTES", "Pseudonymizer", "load_or_create_key", "scrub"]

MIN_KEY_BYTES = 32
_PSEUDONYM_HEX = 32

# Every repetition is bounded and none is nested over the same characters, so that matching takes linear time on any text.
_EMAIL = re.compile(r"[\w.%+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,62}")
_DIGIT_GROUPS = re.compile(  # a number followed by /10 is a score, (1999) behind a title is no area code
    r"(?<![\w.,+-])\+?(?:\(\d{1,5}\)|\d)(?:[ .-]{0,2}(?:\(\d{1,5}\)|\d)){6,39}(?![\w-]|[.,]\d|\s?/\s?\d{1,4}(?!\d))"
)
_GROUP = re.compile(r"\d+")
_CARD_DIGITS = range(13, 20)
_PHONE_DIGITS = range(7, 16)
_PLAIN_PHONE_DIGITS = range(10, 14)
_AREA_CODE = re.compile(r"(?:\+?\d{1,3}[ .-]{0,2})?\((?!(?:1[5-9]|20)\d\d\))\d{1,5}\)")
_LOCAL_NUMBER = re.compile(r"[2-9]\d\d-(?!19|20|\d\d00)\d{4}")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_NO_PHONES = (
    re.compile(r"(?<!\d)(?:\d{1,2}[.-]\d{1,2}[.-]\d{4}|\d{4}[.-]\d{1,2}[.-]\d{1,2})(?!\d)"),  # a date
    re.compile(r"^[1-9]\d{0,2}([ .])\d{3}(?:\1\d{3})+$"),  # thousands
    re.compile(r"^(?:\d{1,3}(?:\.\d{1,3}){3}|\d+\.\d+)$"),  # an IP address, a decimal
)


class Pseudonymizer:
    """key: at least 32 bytes. The key is in no repr."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise SettingsError(f"the pseudonyms' key has {len(key)} bytes: it needs {MIN_KEY_BYTES}; set UPWELL_KEY to 64 hex digits")
        self._key = key

    def pseudonym(self, user_id: str) -> str:
        """32 hex digits, the same for the same id and key."""
        return hmac.new(self._key, user_id.encode(), sha256).hexdigest()[:_PSEUDONYM_HEX]


def load_or_create_key(path: Path) -> bytes:
    """The key kept at `path`; a fresh one is made (readable by its owner alone) when there is none. Raises `SettingsError`."""
    try:
        if not path.exists():
            _create_key(path)
        key = path.read_bytes()
    except OSError as exc:
        raise SettingsError(f"the pseudonyms' key {path} cannot be kept: {exc.strerror}; set UPWELL_DATA or UPWELL_KEY") from exc
    if len(key) < MIN_KEY_BYTES:
        raise SettingsError(f"the pseudonyms' key {path} is torn ({len(key)} bytes): restore it; with another key all users are new")
    return key


def scrub(text: str) -> str:
    """The text with e-mail addresses, card numbers (Luhn-checked) and phone numbers replaced by ⟨email⟩, ⟨card⟩, ⟨phone⟩.

    Years, prices, scores, IP addresses and numbers in titles stay. A number of 10 digits or more that reads like a phone number, an
    ISBN among them, goes: of two errors this one is harmless.
    """
    if "@" in text:
        text = _EMAIL.sub("⟨email⟩", text)
    return _DIGIT_GROUPS.sub(_mask_number, text)


def _create_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(MIN_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(name, path)  # the first of two processes wins, both then read the same key
    except FileExistsError:
        pass
    finally:
        os.unlink(name)


def _mask_number(match: re.Match[str]) -> str:
    """The whole if it is one number; else each run of its groups that is one: a card and its CVV, two phones in a row."""
    shown = match[0]
    if (whole := _kind_of_number(shown)) is not None:
        return whole
    groups = [group.span() for group in _GROUP.finditer(shown)]
    kept: list[str] = []
    start = done = 0
    while start < len(groups):
        for end in range(len(groups), start, -1):
            first, last = groups[start][0], groups[end - 1][1]
            if (kind := _kind_of_number(shown[first:last])) is not None:
                kept += [shown[done:first], kind]
                start, done = end, last
                break
        else:
            start += 1
    return "".join(kept) + shown[done:]


def _kind_of_number(shown: str) -> str | None:
    digits = "".join(_GROUP.findall(shown))
    if len(digits) in _CARD_DIGITS and digits[0] != "0" and len(set(digits)) > 1 and _luhn(digits):
        return "⟨card⟩"
    return "⟨phone⟩" if len(digits) in _PHONE_DIGITS and _reads_like_a_phone(shown, digits) else None


def _reads_like_a_phone(shown: str, digits: str) -> bool:
    """An international one, one with its area code in brackets, or 10 digits and more (9 after a 0 or with hyphens) in groups.

    A short one only as 555-0123. Never years, dates, IP addresses, thousands, round numbers or one digit again and again.
    """
    if shown.startswith("+") or _AREA_CODE.match(shown):
        return True
    groups = _GROUP.findall(shown)
    if len(groups) == 1:
        return len(digits) in _PLAIN_PHONE_DIGITS and len(set(digits)) > 2
    if len(digits) == 7:
        return _LOCAL_NUMBER.fullmatch(shown) is not None
    if all(group.endswith("0") for group in groups) or len(set(groups)) == 1 or _only_pairs(groups):
        return False
    if any(map(_YEAR.fullmatch, groups[:-1])) or any(other.search(shown) for other in _NO_PHONES):
        return False
    return len(digits) >= 10 or (len(digits) == 9 and (digits[0] == "0" or "-" in shown))


def _only_pairs(groups: list[str]) -> bool:
    """Groups of one or two digits, as lists of scores have them; only a number that starts with 0 (06 12 34 56 78) is written so."""
    return max(map(len, groups)) < 3 and groups[0][0] != "0"


def _luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
