"""`[classifier]` of a policy: which model, which texts it reads."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream.chain.policy.classifier import Classifier
from stream.chain.policy.model_file import read_model
from upwell.errors import ModelError, SettingsError

__all__ = ["READS", "Classified", "read_classified"]

READS = ("items", "reviews", "queries")
_KEYS = ("model", "threshold", "reads")


@dataclass(frozen=True, slots=True)
class Classified:
    """A classifier, by its label's name, and the topics of the texts that it reads."""

    name: str
    classifier: Classifier
    reads: frozenset[str]


def read_classified(path: Path, table: Any, lists: Container[str]) -> Classified:
    """path: of the policy, beside which the model is. lists: names that are taken.

    Raises `SettingsError`, which names the file and the key.
    """
    if not isinstance(table, Mapping) or not isinstance(table.get("model"), str):
        raise _wrong(path, "", "it is to be a table with a model: a file of `upwell harm learn`")
    for key in table:
        if key not in _KEYS:
            raise _wrong(path, f".{key}", f"no such key: a classifier has {', '.join(_KEYS)}")
    try:
        model = read_model(path.parent / table["model"])
    except ModelError as exc:
        raise _wrong(path, ".model", str(exc)) from exc
    if model.name in lists:
        raise _wrong(path, ".model", f"its label {model.name!r} is the name of a list too")
    reads = table.get("reads", list(READS))
    if not isinstance(reads, list) or not all(one in READS for one in reads):
        raise _wrong(path, ".reads", f"it is {reads!r}: some of {', '.join(READS)}")
    return Classified(
        model.name, Classifier(model, _threshold(path, table.get("threshold"))), frozenset(reads)
    )


def _threshold(path: Path, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise _wrong(path, ".threshold", f"it is {value!r}: a probability above 0, 1 at most")
    return float(value)


def _wrong(path: Path, key: str, what: str) -> SettingsError:
    return SettingsError(f"UPWELL_POLICY: {path}: classifier{key}: {what}")
