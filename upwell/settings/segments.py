"""What UPWELL_FAIR_SEGMENTS says: the segments of users that fairness is told by.

    women, men

It knows names, not who is in a segment.
"""

from __future__ import annotations

from upwell.errors import SettingsError

__all__ = ["MOST_SEGMENTS", "OTHER_USERS", "segment_names"]

MOST_SEGMENTS = 8
OTHER_USERS = "other"
"""Who is in none of them."""


def segment_names(text: str | None, where: str = "UPWELL_FAIR_SEGMENTS") -> tuple[str, ...]:
    """The names in their order, none where it is unset. Raises `SettingsError` with what would be
    right.
    """
    if text is None or not text.strip():
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise SettingsError(f"{where} is {text!r}: must be names of segments, a comma between two")
    if OTHER_USERS in names:
        raise SettingsError(
            f"{where} names {OTHER_USERS!r}, which is who is in none of them: leave it out, or "
            "give the segment another name"
        )
    if len(set(names)) < len(names):
        raise SettingsError(f"{where} is {text!r}: must name each segment once")
    if len(names) > MOST_SEGMENTS:
        raise SettingsError(
            f"{where} has {len(names)} names: must be at most {MOST_SEGMENTS}, those that matter"
        )
    return names
