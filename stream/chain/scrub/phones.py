"""Which numbers read like a phone number, by how people write them in many countries.

Expressions, not a library: bench/speed/scrub.py has both side by side (docs/decisions/0019).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["PHONE_DIGITS", "reads_like_a_phone"]

PHONE_DIGITS = range(7, 16)
_NATIONAL_PHONE_DIGITS = range(9, 13)
_AREA_CODE = re.compile(r"(?:\+?\d{1,3}[ .-]{0,2})?\((?!(?:1[5-9]|20)\d\d\))\d{1,5}\)")
_YEAR_IN_BRACKETS = re.compile(r"\((?:1[5-9]|20)\d\d\)")
_LOCAL_NUMBER = re.compile(r"[2-9]\d\d-(?!19|20|\d\d00)\d{4}")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_NO_PHONES = (
    re.compile(
        r"(?<!\d)(?:\d{1,2}[.-]\d{1,2}[.-]\d{4}|\d{4}[.-]\d{1,2}[.-]\d{1,2})(?!\d)"
    ),  # a date
    re.compile(r"^[1-9]\d{0,2}([ .])\d{3}(?:\1\d{3})+$"),  # thousands
    re.compile(r"^(?:\d{1,3}(?:\.\d{1,3}){3}|\d+\.\d+)$"),  # an IP address, a decimal
)


def reads_like_a_phone(shown: str, groups: Sequence[str], length: int) -> bool:
    """An international one, one with its area code in brackets, or 10 to 12 digits (9 after a 0 or
    with hyphens). groups: its digits as they are written; length: how many.

    A short one only as 555-0123. Never years, dates, IP addresses, thousands, round numbers or one
    digit again and again.
    """
    if shown[0] == "+" or (shown.count("(") == 1 and _AREA_CODE.match(shown)):
        return True
    if length == 7:
        return _LOCAL_NUMBER.fullmatch(shown) is not None
    if not (length in _NATIONAL_PHONE_DIGITS or (length >= 10 and groups[0].startswith("00"))):
        return False
    if len(groups) == 1:
        return length >= 10 and len(set(groups[0])) > 2
    if length == 9 and groups[0][0] != "0" and "-" not in shown:
        return False
    if all(group[-1] == "0" for group in groups) or len(set(groups)) == 1 or _only_pairs(groups):
        return False
    years = any(map(_YEAR.fullmatch, groups[:-1])) or _YEAR_IN_BRACKETS.search(shown)
    return not (years or any(other.search(shown) for other in _NO_PHONES))


def _only_pairs(groups: Sequence[str]) -> bool:
    """Groups of one or two digits, as lists of scores have them; only a number that starts with 0
    (06 12 34 56 78) is written so.
    """
    return max(map(len, groups)) < 3 and groups[0][0] != "0"
