"""What is told of a run beside its figures: options, settings, code, data, processor. No secret is
among it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stream.runs.code import commit, package_version
from upwell.settings import Settings, describe_settings, show_value
from upwell.system.hardware import hardware

__all__ = ["About", "digest", "run_name", "told"]

_USER = re.compile(r"//[^/@\s]*@")
"""In an address: a name, and a password."""


@dataclass(frozen=True, slots=True)
class About:
    """name: as `run_name`. options: as they were told. data: the log or the folder that is read,
    None where there is none.
    """

    name: str
    options: Mapping[str, object]
    data: Path | None
    settings: Settings


def run_name(what: str, at: float) -> str:
    """Of a command or a bench that began then (UTC seconds), as a folder may be called."""
    return f"{what}-{datetime.fromtimestamp(at, UTC).strftime('%Y%m%dT%H%M%S.%f')[:-3]}Z"


def told(about: About) -> dict[str, str | int | float]:
    """By name: each option, each setting that is not its default by its variable, and what ran
    where. Secrets are masked, in addresses too. Raises `OSError` where the data cannot be read.
    """
    found: dict[str, str | int | float] = dict(_options(about.options))
    for variable, value, origin in describe_settings(about.settings):
        if origin == "set":
            found[variable] = _plain(value)
    found["upwell"] = package_version()
    if (own := commit(Path(__file__))) is not None:
        found["commit"] = own
    if about.data is not None:
        found |= {"data": str(about.data), "data_sha256": digest(about.data)}
    found["hardware"] = hardware()
    return found


def digest(path: Path) -> str:
    """SHA-256 of a file as it lies there; of a folder that of its files' names and digests, those
    below it too, in the order of their names.
    """
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    found = hashlib.sha256()
    for one in sorted(each for each in path.rglob("*") if each.is_file()):
        found.update(f"{digest(one)}  {one.relative_to(path).as_posix()}\n".encode())
    return found.hexdigest()


def _options(
    values: Mapping[str, object], way: str = ""
) -> Iterator[tuple[str, str | int | float]]:
    """Those of a group by both names, as `schedule/steps`."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _options(value, f"{way}{name}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{way}{name}", value
        elif isinstance(value, list | tuple):
            yield f"{way}{name}", _plain(", ".join(map(show_value, value)))
        else:
            yield f"{way}{name}", _plain(show_value(value))


def _plain(text: str) -> str:
    return _USER.sub("//…@", text)
