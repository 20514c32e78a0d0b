"""Rows of frozen values as columns of JSON values, and back. It knows no field by name: a new field
becomes a new column.

A frozen dataclass sets its fields one by one through `object.__setattr__`; setting a column at a
time through the slots is four times as fast, and a user's history is most of what a read costs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

__all__ = ["Columns"]

T = TypeVar("T")


class Columns(Generic[T]):
    """Packs values of one frozen, slotted dataclass without `__post_init__`.

    repeated: string fields with few different values; each value is stored once and shared by the
    rows read back.
    """

    def __init__(self, kind: type[T], *, repeated: frozenset[str] = frozenset()) -> None:
        if hasattr(kind, "__post_init__"):
            raise TypeError(f"{kind.__name__} has a __post_init__, which columns would skip")
        self._kind: Any = kind  # a dataclass, which no type says
        self._fields = fields(cast(Any, kind))
        self._repeated = repeated
        self._setters = {field.name: getattr(kind, field.name).__set__ for field in self._fields}

    def pack(self, rows: Sequence[T]) -> dict[str, list[Any]]:
        """One list a field; for a repeated field [values, index of each row]."""
        columns: dict[str, list[Any]] = {}
        for field in self._fields:
            column = list(map(attrgetter(field.name), rows))
            columns[field.name] = _share(column) if field.name in self._repeated else column
        return columns

    def unpack(self, columns: dict[str, list[Any]]) -> tuple[T, ...]:
        """The rows again; a column that an earlier version did not write takes the field's default.
        Raises `ValueError`.
        """
        size = len(self._column(columns, self._fields[0].name))
        rows = [self._kind.__new__(self._kind) for _ in range(size)]
        for field in self._fields:
            if field.name in columns:
                column = self._column(columns, field.name)
            elif field.default is not MISSING:
                column = [field.default] * size
            else:
                raise ValueError(f"column {field.name} is missing")
            if len(column) != size:
                raise ValueError(f"column {field.name} has {len(column)} rows, not {size}")
            deque(map(self._setters[field.name], rows, column), maxlen=0)
        return tuple(rows)

    def _column(self, columns: dict[str, list[Any]], name: str) -> list[Any]:
        column = columns[name]
        if name not in self._repeated:
            return column
        values, indices = column
        return [values[index] for index in indices]


def _share(column: list[Any]) -> list[Any]:
    index_of: dict[Any, int] = {}
    indices = [index_of.setdefault(value, len(index_of)) for value in column]
    return [list(index_of), indices]
