"""Which digits are a payment card, an IBAN or an article: check digits, issuers' ranges and
lengths.
"""

from __future__ import annotations

__all__ = ["IBAN_LENGTHS", "is_article", "is_card", "is_iban"]

_LONG = range(16, 20)
_ISSUERS: tuple[tuple[str, str, range | tuple[int, ...]], ...] = (
    ("4", "4", (16, 18, 19)),  # Visa; those of 13 digits are no longer issued, EANs are
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", range(14, 20)),  # Diners Club
    ("3095", "3095", range(14, 20)),
    ("36", "36", range(14, 20)),
    ("38", "39", range(14, 20)),
    ("3528", "3589", _LONG),  # JCB
    ("6011", "6011", _LONG),  # Discover
    ("644", "649", _LONG),
    ("65", "65", _LONG),  # Discover, RuPay, Elo
    ("60", "60", (16,)),  # RuPay, Hipercard
    ("62", "62", _LONG),  # UnionPay
    ("81", "82", _LONG),
    ("2200", "2204", _LONG),  # Mir
    ("50", "50", range(13, 20)),  # Maestro, Verve, Elo
    ("56", "58", range(13, 20)),
    ("63", "63", range(13, 20)),
    ("67", "67", range(13, 20)),
    ("9792", "9792", (16,)),  # Troy
)
"""First digits of an issuer's cards, from and to, and how many digits they have (ISO/IEC 7812)."""

IBAN_LENGTHS = {
    code: int(length)
    for length, codes in {
        "15": "NO",
        "16": "BE",
        "18": "DK FI FK FO GL NL SD",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST",
        "26": "IS TR",
        "27": "BI DJ FR GR IT MC SM",
        "28": "AL AZ BY CY DO GT HU LB NI PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU YE",
        "31": "MT SC",
        "32": "LC",
        "33": "RU",
    }.items()
    for code in codes.split()
}
"""Characters of an IBAN by its country (the registry of ISO 13616)."""


def is_card(digits: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1), and a range and length that an issuer has."""
    return (
        len(set(digits)) > 1
        and any(
            len(digits) in lengths and first <= digits[: len(first)] <= last
            for first, last, lengths in _ISSUERS
        )
        and _luhn(digits)
    )


def is_iban(letters: str) -> bool:
    """letters: capitals and digits alone. Its country's length, and 1 modulo 97 (ISO 7064)."""
    if len(letters) != IBAN_LENGTHS.get(letters[:2]):
        return False
    return int("".join(str(int(one, 36)) for one in letters[4:] + letters[:4])) % 97 == 1


def is_article(digits: str) -> bool:
    """A GTIN of 8, 12, 13 or 14 digits (EAN, UPC, ISBN of 13) or an ISBN of 10, by the check
    digit.
    """
    if len(digits) == 10:
        return sum((10 - place) * int(one) for place, one in enumerate(digits)) % 11 == 0
    if len(digits) not in (8, 12, 13, 14):
        return False
    weighed = (int(one) * (3 if place % 2 else 1) for place, one in enumerate(digits[::-1]))
    return sum(weighed) % 10 == 0


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
