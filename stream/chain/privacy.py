"""Privacy before anything is stored or learned: keyed pseudonyms for user ids. Of the
same key: lots, which nobody who chooses ids can choose. Text is scrubbed by `stream.chain.scrub`.

A pseudonym is HMAC-SHA-256 (RFC 2104) of the id, its first 128 bits: a collision among a billion
users has a chance of 10⁻²¹. Whoever holds the key finds a user's state from the id; nobody else
does.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import blake2b, sha256
from pathlib import Path

from upwell.errors import SettingsError
from upwell.system.files import write_first

__all__ = ["MIN_KEY_BYTES", "Pseudonymizer", "load_or_create_key"]

MIN_KEY_BYTES = 32
_PSEUDONYM_HEX = 32


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

    def fingerprint(self) -> str:
        """16 hex digits that tell keys apart, and nothing about the key."""
        return self.lot("fingerprint of the key", "")[:16]

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
            write_first(path, secrets.token_bytes(MIN_KEY_BYTES))
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
