"""Settings written into the text of `upwell.toml`, whatever else stands in it.

Only lines of the settings themselves change, and what comes out is read once more: text in which
that does not work is left as it is.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from stream.replay.tuning.space import Values
from upwell.errors import SettingsError

__all__ = ["MARK", "with_learner"]

MARK = "# upwell tune"
"""How a comment of ours begins, which a later one takes the place of."""
_TABLE = re.compile(r"\s*\[\s*learner\s*\]\s*(#.*)?$")
_ANY_TABLE = re.compile(r"\s*\[")
_NAME = re.compile(r"\s*(\w+)\s*=")


def with_learner(text: str, values: Values, comment: str) -> str:
    """The text with these in its table `[learner]`, below the comment (one line, without its `#`).
    Raises `SettingsError` where they have to be put in by hand.
    """
    lines = text.splitlines()
    own = [f"{MARK} {comment}", *(f"{name} = {value}" for name, value in values.items())]
    start = next((n for n, line in enumerate(lines) if _TABLE.match(line)), None)
    if start is None:
        new = [*lines, *([""] if lines else []), "[learner]", *own]
    else:
        behind = range(start + 1, len(lines))
        end = next((n for n in behind if _ANY_TABLE.match(lines[n])), len(lines))
        kept = [line for line in lines[start + 1 : end] if not _replaced(line, values)]
        new = [*lines[: start + 1], *own, *kept, *lines[end:]]
    found = "\n".join(new) + "\n"
    if (expected := _expected(text, values)) is None or _read(found) != expected:
        raise SettingsError(
            "upwell.toml cannot be changed without its author: put in yourself, below [learner], "
            + ", ".join(own[1:])
        )
    return found


def _replaced(line: str, values: Values) -> bool:
    name = _NAME.match(line)
    return line.startswith(MARK) or (name is not None and name[1] in values)


def _expected(text: str, values: Values) -> dict[str, Any] | None:
    tree = _read(text)
    return None if tree is None else {**tree, "learner": {**tree.get("learner", {}), **values}}


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
