"""What a record of `texts` and `item_texts` asks, and what one of `vectors` answers.

Neither is JSON: a text is its own bytes, also one that is no valid Unicode, and a vector is its
numbers. It knows neither Kafka's client nor models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from encoders.cache import content_keys
from upwell.errors import BrokerError
from upwell.values import Vector

__all__ = ["Answer", "Asked", "Headers"]

VERSION = b"1"
UNIT_TOLERANCE = 1e-2

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A text that needs its vector. encoder: what decides it (`stream.chain.catalogue.vectors_of`).
    to: the partition of `vectors` that whoever asks reads.
    """

    text: str
    encoder: str
    to: int

    @property
    def key(self) -> bytes:
        """16 bytes of the text and of what reads it: the record's key, and the answer's."""
        return content_keys([self.text], self.encoder)[0]

    @property
    def value(self) -> bytes:
        """Of its record."""
        return self.text.encode("utf-8", "surrogatepass")

    @property
    def headers(self) -> Headers:
        """Of its record."""
        return [("v", VERSION), ("encoder", self.encoder.encode()), ("to", str(self.to).encode())]

    @classmethod
    def read(cls, value: bytes | None, headers: Mapping[str, bytes]) -> Asked:
        """The inverse. Raises `BrokerError`."""
        try:
            _check_version(headers)
            if value is None:
                raise ValueError("it has no value")
            to = int(headers["to"])
            if to < 0:
                raise ValueError(f"partition {to}")
            return cls(value.decode("utf-8", "surrogatepass"), headers["encoder"].decode(), to)
        except (ValueError, LookupError) as exc:
            raise _unreadable("a text to be encoded", exc) from exc


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """key: of the text. encoder: as it was asked for. vector: (d,) float32 of unit length."""

    key: bytes
    encoder: str
    vector: Vector

    @property
    def value(self) -> bytes:
        """Of its record: little-endian float32."""
        return np.asarray(self.vector, "<f4").tobytes()

    @property
    def headers(self) -> Headers:
        """Of its record."""
        return [("v", VERSION), ("encoder", self.encoder.encode())]

    @classmethod
    def read(cls, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes]) -> Answer:
        """The inverse. Raises `BrokerError`, also for what is no unit vector."""
        try:
            _check_version(headers)
            if not key or not value:
                raise ValueError("its key or its value is missing")
            vector = np.frombuffer(value, "<f4").astype(np.float32)
            length = float(np.linalg.norm(vector.astype(np.float64)))
            if not abs(length - 1.0) < UNIT_TOLERANCE:
                raise ValueError(f"a vector of length {length:.3g}")
            return cls(key, headers["encoder"].decode(), vector)
        except (ValueError, LookupError) as exc:
            raise _unreadable("a vector", exc) from exc


def _check_version(headers: Mapping[str, bytes]) -> None:
    if headers["v"] != VERSION:
        raise ValueError(f"version {headers['v']!r}")


def _unreadable(what: str, exc: Exception) -> BrokerError:
    return BrokerError(
        f"a record is not {what} of this version of Upwell ({exc!r}): something else writes there, "
        "or two versions share a prefix; set UPWELL_PREFIX"
    )
