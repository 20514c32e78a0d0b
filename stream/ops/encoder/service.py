"""Into force, back, and what was said so far: words on the topic `encoders`, which the engines that
run follow by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from stream.broker.encoders import Lineage, Named, Said, Word
from stream.broker.encoders.topic import read_lineage, say
from stream.ops.encoder.trial import Ready
from stream.replay.adaptation.comparison import Found, Opinion
from stream.serve.encoders.switch import encoder_in_force
from upwell.client import client_options
from upwell.errors import SettingsError
from upwell.settings import Settings

__all__ = ["conclude", "put_into_force", "roll_back", "standing"]

GUARD, OPERATOR = "guard", "operator"


def conclude(settings: Settings, ready: Ready, found: Found, may: bool, now_ms: int) -> bool:
    """Says what a trial found, and has the candidate in force where it is better and `may` be;
    whether it is. Raises `BrokerError`, and `SettingsError` where another one came into force
    meanwhile.
    """
    figures = {**asdict(found), "items": len(ready.item_ids), "likeness": round(ready.likeness, 4)}
    _say(settings, Word.TRIED, ready.encoder, ready.before, GUARD, now_ms, figures)
    if not may or found.opinion is not Opinion.BETTER:
        return False
    put_into_force(settings, ready, now_ms, GUARD)
    return True


def put_into_force(settings: Settings, ready: Ready, now_ms: int, by: str = OPERATOR) -> None:
    """Raises `BrokerError`, `SettingsError` where another one came into force meanwhile."""
    now = _in_force(settings, _lineage(settings))
    if now.vectors != ready.before.vectors:
        raise SettingsError(f"{now.model} came into force meanwhile: try it against that one")
    _say(settings, Word.PROMOTED, ready.encoder, ready.before, by, now_ms)


def roll_back(
    settings: Settings, now_ms: int, asked: Callable[[str], None] = lambda version: None
) -> tuple[Named, Named]:
    """Has the one before in force again: that one, and the one that was. asked: is told first which
    that is. Raises `BrokerError`,
    `SettingsError` where there is none before.
    """
    lineage = _lineage(settings)
    if lineage.in_force is None or not lineage.earlier:
        raise SettingsError("no encoder was put into force here: there is none to go back to")
    back, gone = lineage.earlier[-1], lineage.in_force
    asked(back.vectors)
    _say(settings, Word.ROLLED_BACK, back, gone, OPERATOR, now_ms)
    return back, gone


def standing(settings: Settings) -> dict[str, Any]:
    """JSON-ready: what is in force, where a roll back leads, and all that was said. Raises
    `BrokerError`, `SettingsError`, `EncoderError`.
    """
    lineage = _lineage(settings)
    return {
        "in_force": asdict(_in_force(settings, lineage)),
        "earlier": [asdict(one) for one in lineage.earlier],
        "said": [asdict(one) for one in lineage.said],
    }


def _lineage(settings: Settings) -> Lineage:
    return read_lineage(client_options(settings.kafka), settings.kafka.prefix)


def _in_force(settings: Settings, lineage: Lineage) -> Named:
    return lineage.in_force or encoder_in_force(settings.encoder, lineage)


def _say(
    settings: Settings,
    word: Word,
    encoder: Named,
    before: Named,
    by: str,
    now_ms: int,
    figures: dict[str, Any] | None = None,
) -> None:
    said = Said(word=word, encoder=encoder, before=before, by=by, at=now_ms, figures=figures or {})
    say(client_options(settings.kafka), settings.kafka.prefix, said)
