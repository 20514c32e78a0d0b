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
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_DIGIT_GROUPS = re.compile(r"(?<![\w.,+-])\+?\(?\d(?:[ ().-]{0,2}\d){6,24}(?![\w-]|[.,]\d)")
_CARD_DIGITS = range(13, 20)
_PHONE_DIGITS = range(7, 16)
_LONGEST_GROUP_OF_A_YEAR_LIST = 4


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

    Years, prices, scores and numbers in titles stay. A number of 10 digits or more that reads like a phone number, an ISBN among
    them, goes: of two errors this one is harmless.
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
    shown = match[0]
    digits = re.sub(r"\D", "", shown)
    if len(digits) in _CARD_DIGITS and _luhn(digits):
        return "⟨card⟩"
    if len(digits) in _PHONE_DIGITS and _reads_like_a_phone(shown, digits):
        return "⟨phone⟩"
    return shown


def _reads_like_a_phone(shown: str, digits: str) -> bool:
    """An international or a long one; a short one only in the usual groups (555-0123 4567), never a list of years."""
    groups = re.findall(r"\d+", shown)
    if shown.startswith("+") or "(" in shown:
        return True
    if all(len(group) == _LONGEST_GROUP_OF_A_YEAR_LIST for group in groups) and all(group[:2] in {"19", "20"} for group in groups):
        return False
    return len(digits) >= 10 or (len(groups) >= 2 and "-" in shown and min(map(len, groups)) >= 2)


def _luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
