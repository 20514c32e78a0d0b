"""Single values of other people's files: times, numbers, words. What cannot be read is a
`DirtyError`.
"""

from __future__ import annotations

import html
import math
import re
from datetime import UTC, datetime, tzinfo

__all__ = ["DirtyError", "joined", "number", "text", "time_ms"]

_SECONDS_END = 100_000_000_000
"""Below it a time is in seconds (to the year 5138); from here on in milliseconds."""
_UNITS = ((10**14, 1), (10**17, 1_000), (10**20, 1_000_000))  # ms, µs, ns: below it, how many a ms
_SHAPES = ("%m/%d/%Y %I:%M:%S %p", "%m %d, %Y", "%d-%b-%Y", "%b %d, %Y", "%Y/%m/%d", "%Y%m%d")
_DIGITS = re.compile(r"-?\d{1,20}(?:\.\d*)?(?:[eE]\+?\d{1,2})?")
_NO_WORD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NONE = frozenset({"", "none", "null", "nan", "na", "n/a", "\\n"})


class DirtyError(Exception):
    """reason: a short name, for counting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def time_ms(value: object, shape: str = "auto", zone: tzinfo = UTC) -> int:
    """UTC milliseconds of a number (seconds, milliseconds, micro- or nanoseconds, by its size), an
    ISO 8601 time or date, or another common shape.

    shape: auto, s, ms, or a format of `strptime`. zone: of times that name none. Raises
    `DirtyError`: `no_time`, `bad_time`.
    """
    shown = str(value if value is not None else "").strip()
    if shown.lower() in _NONE:
        raise DirtyError("no_time")
    if shape in ("auto", "s", "ms") and _DIGITS.fullmatch(shown) and not _is_date(shown):
        return _of_number(shown, shape)
    moment = _moment(shown, shape)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return round(moment.timestamp() * 1000)
    except (OverflowError, ValueError) as exc:
        raise DirtyError("bad_time") from exc


def _is_date(shown: str) -> bool:
    """20180920; as seconds it would be of August 1970, which no log has."""
    return len(shown) == 8 and shown.isdigit() and shown[:2] in ("19", "20")


def _of_number(shown: str, shape: str) -> int:
    whole = int(shown) if "." not in shown and "e" not in shown.lower() else float(shown)
    if not math.isfinite(whole):
        raise DirtyError("bad_time")
    if shape == "s" or (shape == "auto" and abs(whole) < _SECONDS_END):
        return round(whole * 1000)
    if shape == "ms":
        return round(whole)
    for end, per_ms in _UNITS:
        if abs(whole) < end:
            return int(whole // per_ms)
    raise DirtyError("bad_time")


def _moment(shown: str, shape: str) -> datetime:
    if shape not in ("auto", "s", "ms"):
        try:
            return datetime.strptime(shown, shape)  # noqa: DTZ007 (time_ms names the zone)
        except ValueError as exc:
            raise DirtyError("bad_time") from exc
    try:
        return datetime.fromisoformat(shown.removesuffix(" UTC"))
    except ValueError:
        for one in _SHAPES:
            try:
                return datetime.strptime(shown, one)  # noqa: DTZ007
            except ValueError:
                continue
    raise DirtyError("bad_time")


def number(value: object) -> float | None:
    """A finite number, also of `$1,299.99`; None where there is none."""
    shown = str(value if value is not None else "").strip().lstrip("$€£").replace(",", "")
    try:
        found = float(shown)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def text(value: object, limit: int = 20_000) -> str | None:
    """Words on one line, HTML's escapes read, at most `limit` characters; None where there are
    none.
    """
    if not isinstance(value, str) or value.strip().lower() in _NONE:
        return None
    shown = _SURROGATE.sub("�", html.unescape(value) if "&" in value else value)
    shown = _NO_WORD.sub(" ", shown).strip()
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def joined(*parts: object, limit: int = 20_000) -> str | None:
    """The parts that have words, as sentences."""
    found = [one for part in parts if (one := text(part, limit))]
    return text(". ".join(dict.fromkeys(found)), limit)
