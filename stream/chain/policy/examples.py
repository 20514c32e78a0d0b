"""Labelled texts of a CSV or JSONL file: `text`, and `label`, which names the harm or denies it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from stream.chain.policy.training import Example
from upwell.errors import LogError

__all__ = ["read_examples"]

HARMLESS = frozenset({"0", "false", "no", "none", "harmless"})
UNNAMED = frozenset({"1", "true", "yes"})
"""Labels that say harm without a name: it is `harmful` then."""


def read_examples(path: Path) -> tuple[list[Example], str]:
    """All of a file, and the name of its harm. Raises `LogError`, with the line where there is one,
    also where a file has two harms: a classifier is of one.
    """
    examples, names = [], set()
    for line, row in _rows(path):
        text, label = row.get("text"), row.get("label")
        if not isinstance(text, str) or label is None or not str(label).strip():
            raise LogError(f"{path}, line {line}: it is to have a `text` and a `label`")
        said = str(label).strip()
        harmful = said.lower() not in HARMLESS
        examples.append(Example(text, harmful))
        if harmful:
            names.add("harmful" if said.lower() in UNNAMED else said)
    if len(names) > 1:
        raise LogError(f"{path}: labels of several harms, {', '.join(sorted(names))}: one a file")
    return examples, next(iter(names), "harmful")


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix == ".csv":
                reader = csv.DictReader(file)
                yield from ((reader.line_num, row) for row in reader)
            else:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield number, _object(path, number, line)
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise LogError(f"{path} cannot be read: {exc}") from exc


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        raise LogError(f"{path}, line {number}: no JSON: {exc}") from exc
    if not isinstance(row, dict):
        raise LogError(f"{path}, line {number}: no JSON object")
    return row
