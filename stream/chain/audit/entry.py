"""One entry of the audit log and its bytes.

An entry is one JSON object in UTF-8, keys sorted, no white space. Its `digest` is the SHA-256 of
these bytes without the field `digest`, in hexadecimal; its `prev` is the digest of the entry before
on the same partition, 64 zeros for the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

import orjson

__all__ = ["BEGINNING", "AuditEntry", "canonical", "digest_of"]

VERSION = 1
BEGINNING = "0" * 64
"""`prev` of the first entry of a partition."""


def canonical(value: Mapping[str, Any]) -> bytes:
    """JSON that is the same for the same value."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest_of(value: Mapping[str, Any]) -> str:
    """Of an entry's JSON object, which may have its digest already."""
    bare = {name: one for name, one in value.items() if name != "digest"}
    return sha256(canonical(bare)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """seq: from 0 on each partition. at: when the broker appended the control, UTC ms; ts: the
    control's own. source, offset: where it stands (`Source`). what: the control's fields, users by
    pseudonym. refusal: reason and detail where the outcome is `refused`.
    """

    seq: int
    prev: str
    at: int
    ts: int
    who: str
    why: str
    kind: str
    what: Mapping[str, Any]
    outcome: str
    event_id: str
    source: str
    offset: int
    refusal: tuple[str, str] | None = None

    @property
    def bare(self) -> dict[str, Any]:
        """The JSON object without its digest."""
        told: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        return {"v": VERSION, **told}

    @property
    def digest(self) -> str:
        """64 hexadecimal digits."""
        return digest_of(self.bare)

    def value(self) -> bytes:
        """Of its record."""
        bare = self.bare
        return canonical({**bare, "digest": digest_of(bare)})

    @classmethod
    def read(cls, value: bytes | None) -> AuditEntry:
        """The inverse, without a look at the digest. Raises `ValueError` where it is none."""
        try:
            told = orjson.loads(value or b"")
            del told["digest"]
            if told.pop("v") != VERSION:
                raise ValueError("another version of Upwell wrote it")
            if told["refusal"] is not None:
                told["refusal"] = tuple(told["refusal"])
            return cls(**told)
        except (TypeError, LookupError, AttributeError) as exc:
            raise ValueError(f"no entry of an audit log ({exc})") from exc
