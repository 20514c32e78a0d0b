"""What the records of the topic `encoders` say, in their order: who was tried, who came into force,
who went. Pure values; it knows neither Kafka nor models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import orjson

from upwell.errors import BrokerError

__all__ = ["Lineage", "Named", "Said", "Word"]

VERSION = 1


class Word(StrEnum):
    """What is said of an encoder. Only the last two change what is in force."""

    TRIED = "tried"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class Named:
    """An encoder. vectors: what of its revision decides them (`stream.chain.catalogue.vectors_of`).
    model: name or folder, as UPWELL_ENCODER takes it, where it was said.
    """

    vectors: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One record. before: what was in force. by: `guard` or `operator`. at: UTC ms. figures: of a
    trial.
    """

    word: Word
    encoder: Named
    before: Named
    by: str
    at: int
    figures: Mapping[str, Any] = field(default_factory=dict)

    def value(self) -> bytes:
        """Of its record."""
        return orjson.dumps({"v": VERSION, **asdict(self)})

    @classmethod
    def read(cls, value: bytes | None) -> Said:
        """The inverse. Raises `BrokerError` where it is none."""
        try:
            told = orjson.loads(value or b"")
            if told.pop("v") != VERSION:
                raise ValueError("another version of Upwell wrote it")
            encoder, before = Named(**told.pop("encoder")), Named(**told.pop("before"))
            return cls(word=Word(told.pop("word")), encoder=encoder, before=before, **told)
        except (ValueError, TypeError, LookupError, AttributeError) as exc:
            raise BrokerError(
                f"topic encoders holds a record that cannot be read ({exc}): who else writes to "
                "that topic?"
            ) from exc


@dataclass(frozen=True, slots=True)
class Lineage:
    """said: all of it, oldest first. in_force: None where the settings' encoder was never replaced;
    earlier: those that a roll back leads to, the next one last.
    """

    said: tuple[Said, ...] = ()
    in_force: Named | None = None
    earlier: tuple[Named, ...] = ()

    @classmethod
    def of(cls, said: Iterable[Said]) -> Lineage:
        """After all of these, oldest first."""
        found = cls()
        for one in said:
            found = found.after(one)
        return found

    def after(self, one: Said) -> Lineage:
        """With one more record. A roll back to an encoder takes away all that came after it."""
        told = replace(self, said=(*self.said, one))
        if one.word is Word.TRIED:
            return told
        if one.word is Word.PROMOTED:
            stack = (*self.earlier, self.in_force or one.before)
        else:
            back_to = one.encoder.vectors
            places = [place for place, had in enumerate(self.earlier) if had.vectors == back_to]
            stack = self.earlier[: places[-1]] if places else self.earlier
        return replace(told, in_force=one.encoder, earlier=stack)

    @property
    def known(self) -> frozenset[str]:
        """Whose vectors may stand beside each other here."""
        changes = [one for one in self.said if one.word is not Word.TRIED]
        return frozenset(named.vectors for one in changes for named in (one.encoder, one.before))
