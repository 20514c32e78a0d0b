"""No text makes a regular expression of the product run on: by the structure of each, and by texts
made for it.

A repeat without an end, inside another, may try every way of sharing the text between the two
(2^n); possessive ones never try again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from stream.chain.scrub import scrub
from stream.chain.validate import load_json
from tests.security.test_no_code_from_data import PRODUCT, ROOT
from upwell.errors import InvalidEventError
from upwell.schema import MAX_TEXT

LENGTH = 5 * MAX_TEXT
HANGS_SECONDS = 120
"""Far more than a busy machine takes (a second), far less than a hang."""

SHAPES = {
    "digits": "1",
    "digits, spaced": "1 ",
    "pairs": "12 ",
    "dotted": "1.",
    "dashed": "12-3.",
    "in brackets": "(1)",
    "brackets that never close": "(1",
    "only brackets": "(",
    "signs": "+1 ",
    "phones": "555-123-4567 ",
    "almost phones": "867-5309-",
    "cards": "4111 1111 1111 1111 ",
    "cards without an end": "4111111111111111",
    "scores": "1234567/1 ",
    "decimals": "1,",
    "spaces": "1   ",
    "other digits": "๑ ",
    "at signs": "@",
    "shortest addresses": "a@",
    "addresses that end in a digit": "a" * 64 + "@" + ("b" * 63 + ".") * 8 + "1 ",
    "addresses of too many parts": "a" * 64 + "@" + ("b" * 63 + ".") * 9,
    "local parts": "a.b+c%d'e-" * 6 + "@",
    "dots and at signs": ".@",
    "words": "a-",
    "IBANs": "DE89 3704 0044 0532 0130 00 ",
    "almost IBANs": "DE89 ",
    "IBANs without an end": "DE89DE89",
    "full width": "１ ",
    "not seen": "1\u200b",
    "of many characters": "\ufdfa1@",
}


def expressions() -> Iterator[tuple[str, str]]:
    """Where and what each compiled, matched or searched pattern of the product is, as far as it is
    written out.
    """
    for path in sorted(path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).startswith("re.")
                and node.args
            ):
                pattern = node.args[0]
                if isinstance(pattern, ast.Constant) and isinstance(pattern.value, str):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", pattern.value


def nested(pattern: Any, inside: bool = False) -> bool:
    """Whether a repeat without an end stands in another that may come more than once, both
    backtracking.
    """
    for code, argument in pattern:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            _, most, repeated = argument
            endless = most is codes.MAXREPEAT
            if (endless and inside) or nested(repeated, inside or most > 1):
                return True
        elif any(nested(part, inside) for part in _parts(argument)):
            return True
    return False


def _parts(argument: Any) -> Iterator[Any]:
    """The patterns in the argument of a code, however deep they lie in its tuples and lists."""
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for one in argument:
            yield from _parts(one)


@pytest.mark.parametrize(
    ("pattern", "dangerous"),
    [
        ("(a+)+b", True),
        ("(a|b*){2,5}", True),
        ("(?:a{1,3}b)+", False),
        ("(?:a++b)*+", False),
        ("a+b+", False),
    ],
)
def test_the_search_tells_dangerous_ones(pattern: str, dangerous: bool) -> None:
    assert nested(parser.parse(pattern)) is dangerous


def test_no_endless_repeat_stands_in_another() -> None:
    found = list(expressions())
    assert any("scrub" in where for where, _ in found)
    assert [where for where, pattern in found if nested(parser.parse(pattern))] == []


@pytest.mark.timeout(HANGS_SECONDS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_scrubbing_comes_to_an_end(shape: str) -> None:
    """Texts five times as long as an event may have, whole and with an address at their end."""
    text = (shape * (LENGTH // len(shape) + 1))[:LENGTH]
    for given in (text, text + "a@b.example"):
        assert isinstance(scrub(given), str)


@pytest.mark.timeout(HANGS_SECONDS)
@pytest.mark.parametrize(
    "value",
    [
        b"[" + b"-" * 1_000_000,
        b"[" + b"nan" * 300_000,
        b" " * 1_000_000,
        b'"' + b"\\" * 1_000_001,
        b"{" * 1_000_000,
    ],
)
def test_telling_why_it_is_no_json_comes_to_an_end(value: bytes) -> None:
    with pytest.raises(InvalidEventError):
        load_json(value)
