"""The formats, and which of them a folder's files are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from stream.replay.importers.draft import Head, Kind
from stream.replay.importers.lastfm import LASTFM, LASTFM_HETREC
from stream.replay.importers.mind import MIND
from stream.replay.importers.movielens import MOVIELENS
from stream.replay.importers.rechorus import RECHORUS
from stream.replay.importers.reviews import AMAZON2018, AMAZON2023, YELP
from stream.replay.importers.shops import HM, RETAILROCKET
from stream.replay.importers.text import lines
from upwell.errors import LogError

__all__ = ["KINDS", "Found", "choose", "files_in", "head_of", "roles_of"]

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        MOVIELENS,
        AMAZON2018,
        AMAZON2023,
        RETAILROCKET,
        MIND,
        YELP,
        LASTFM,
        LASTFM_HETREC,
        HM,
        RECHORUS,
    )
}
Found = Mapping[str, Mapping[str, Sequence[Path]]]
"""By kind and role the files."""

_HEAD_LINES = 5
_HEAD_CHARACTERS = 1 << 20
_NOT_SHOWN = re.compile("[\x00-\x1f\x7f-\x9f]+")


def files_in(path: Path) -> list[Path]:
    """The file itself, or the files of a folder, by name. Raises `LogError`."""
    if not path.exists():
        raise LogError(f"there is no {path}: give the path of a file or of the folder with them")
    if path.is_file():
        return [path]
    return sorted(one for one in path.iterdir() if one.is_file() and one.name[0] != ".")


def head_of(path: Path) -> Head:
    """Its first lines that have something on them; none where it has none."""
    with closing(lines(path, Counter())) as source:
        some = [one[:_HEAD_CHARACTERS].strip("\r\n") for one in islice(source, _HEAD_LINES)]
    return [one for one in some if one.strip()]


def roles_of(paths: Sequence[Path]) -> Found:
    """Which files are which, by their heads; a file that is of no kind is in none."""
    found: dict[str, dict[str, list[Path]]] = {}
    for path in paths:
        if not (head := head_of(path)):
            continue
        for kind in KINDS.values():
            for role, fits in kind.shapes.items():
                if fits(head):
                    found.setdefault(kind.name, {}).setdefault(role, []).append(path)
    return found


def choose(name: str, paths: Sequence[Path]) -> tuple[Kind, Mapping[str, Sequence[Path]]]:
    """The kind that is asked for, or the one that the files are for `auto`, and its files.

    Raises `LogError`, which says what they look like.
    """
    found = roles_of(paths)
    whole = [one for one, files in found.items() if KINDS[one].needed & files.keys()]
    if name == "auto" and len(whole) == 1:
        name = whole[0]
    if name in whole:
        return KINDS[name], found[name]
    where = ", ".join(path.name for path in paths[:5]) + (", …" if len(paths) > 5 else "")
    looks = (
        f"looks like {' and '.join(whole)}"
        if whole
        else f"has only {_roles(found)}"
        if found
        else f"looks like nothing that is known{_first_line(paths)}"
    )
    if name == "auto":
        remedy = f"name the kind ({', '.join(KINDS)}), or use csv with --mapping"
    else:
        remedy = f"{name} has {KINDS[name].about}"
    raise LogError(f"{where or 'the folder, which is empty,'} {looks}: {remedy}")


def _roles(found: Found) -> str:
    return " and ".join(f"the {', '.join(roles)} of {kind}" for kind, roles in found.items())


def _first_line(paths: Sequence[Path]) -> str:
    heads = [head[0] for path in paths if (head := head_of(path))]
    return f" (its first line: {_NOT_SHOWN.sub(' ', heads[0])[:80]})" if heads else ""
