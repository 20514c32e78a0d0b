"""What README and docs tell a reader to type, found in their text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

__all__ = ["DOCUMENTS", "IDS", "ROOT", "commands", "python_blocks"]

ROOT = Path(__file__).parents[2]
BESIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = (*(ROOT / name for name in BESIDE), *sorted((ROOT / "docs").rglob("*.md")))
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_VARIABLES = re.compile(r"^(?:[A-Z_]+=\S+\s+)+")


def python_blocks(text: str) -> list[str]:
    """Fenced blocks of Python."""
    return [body for language, body in _FENCE.findall(text) if language == "python"]


def commands(text: str, program: str) -> Iterator[list[str]]:
    """The words after `program` of each line and span of code that begins with it, without
    variables before it and remarks behind it.
    """
    for line in _code(text):
        for part in re.split(r"\s&&\s", line):
            words = _VARIABLES.sub("", part.strip().removeprefix("$ "))
            if words == program or words.startswith(program + " "):
                yield shlex.split(re.split(r"\s{2,}|\s[#>|]", words)[0])[1:]


def _code(text: str) -> Iterator[str]:
    fences = _FENCE.findall(text)
    for language, body in fences:
        if language != "python":
            yield from map(str.strip, body.splitlines())
    plain = _FENCE.sub("", text)
    for line in plain.splitlines():
        if line.startswith("    "):
            yield line
    for span in _SPAN.findall(plain):
        yield " ".join(span.split())
