"""One batch of a use's records, in order: what is no event becomes a dead letter, the rest is
cleaned, gets its vectors in one call of the encoder, and is taken. No broker, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stream.chain.privacy import Pseudonymizer
from stream.chain.records import user_in
from stream.chain.validate import decode, letter, load_json
from stream.chain.wire import first_appended
from stream.uses.port import Heard, Published, Refused, Use
from upwell.errors import InvalidEventError
from upwell.events import Control, ControlKind, Topic
from upwell.ports import Encoder
from upwell.recommendations import DeadLetter
from upwell.uses.topics import UseTopic

__all__ = ["Folded", "Row", "fold"]

_ABOUT_USERS = (ControlKind.FORGET_USER, ControlKind.MERGE_USER)


@dataclass(frozen=True, slots=True)
class Row:
    """A record of one of the use's topics, or of `controls`. topic: without prefix. appended_ms:
    the broker's time, UTC ms.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]
    appended_ms: int


@dataclass(frozen=True, slots=True)
class Folded:
    """What came of a batch. forgotten: how much was removed, None where nobody was to be
    forgotten.
    """

    published: Sequence[Published]
    letters: Sequence[DeadLetter]
    events: int
    forgotten: int | None


def fold(
    use: Use, encoder: Encoder, names: Pseudonymizer, rows: Sequence[Row], now_ms: int
) -> Folded:
    """Take the rows, in their order; `use` is changed. now_ms: UTC ms, which times are told
    against. Raises `EncoderError`.
    """
    read = [(row, _read(use, row, now_ms)) for row in rows]
    texts = [() if _apart(one) else tuple(use.texts(one)) for _, one in read]
    spoken = [text for each in texts for text in each]
    vectors = encoder.encode(spoken) if spoken else np.zeros((0, encoder.dimension), np.float32)
    published: list[Published] = []
    letters: list[DeadLetter] = []
    events, start, forgotten = 0, 0, None
    for (row, one), words in zip(read, texts, strict=True):
        own, start = vectors[start : start + len(words)], start + len(words)
        if isinstance(one, InvalidEventError):
            letters.append(_letter(names, row, one, now_ms))
        elif isinstance(one, Control):
            by = names.pseudonym(one.user_id or "")
            if one.kind is ControlKind.MERGE_USER:
                use.merge(names.pseudonym(one.from_user or ""), by)
            else:
                letters = [letter for letter in letters if letter.user != by]
                forgotten = (forgotten or 0) + use.forget(by)
        elif one is not None:
            events += 1
            for told in use.take(Heard(one, _by(names, one), row.appended_ms, own)):
                if isinstance(told, Refused):
                    why = InvalidEventError(told.reason, told.detail)
                    letters.append(_letter(names, row, why, now_ms))
                else:
                    published.append(told)
    return Folded(published, letters, events, forgotten)


def _apart(one: object) -> bool:
    return one is None or isinstance(one, InvalidEventError | Control)


def _read(use: Use, row: Row, now_ms: int) -> Any:
    """The clean event; of `controls` those about what is kept of a user, None for others, which
    serve answers for; else why it is none.
    """
    if row.topic == Topic.CONTROLS:
        control = decode(Topic.CONTROLS, row.partition, row.offset, row.value, now_ms)
        return control if isinstance(control, Control) and control.kind in _ABOUT_USERS else None
    try:
        return use.clean(use.inputs[UseTopic(row.topic)].read(load_json(row.value), now_ms))
    except InvalidEventError as exc:
        return exc


def _by(names: Pseudonymizer, event: Any) -> str:
    user_id = getattr(event, "user_id", None)
    return names.pseudonym(user_id) if user_id else ""


def _letter(names: Pseudonymizer, row: Row, why: InvalidEventError, now_ms: int) -> DeadLetter:
    found = replace(
        letter(why, row.topic, row.partition, row.offset, row.value, now_ms),
        key=row.key,
        appended=min(row.appended_ms, first_appended(row.headers) or row.appended_ms),
    )
    user_id = user_in(found)
    return replace(found, user=None if user_id is None else names.pseudonym(user_id))
