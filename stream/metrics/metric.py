"""What a figure is: its name, unit and meaning, and where it stands in a worker's record on the
topic `metrics`. It knows no figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["INFO", "PREFIX", "WORKER", "Kind", "Metric", "Role", "leaves"]

PREFIX = "upwell_"
WORKER = "worker"
"""Label of every figure: the worker's name, as its `instance` on `metrics`."""
INFO = {"role": "role", "engine": "engine", "store": "store"}
"""Labels of `upwell_worker_info`, by the record's field."""

Role = Literal["serve", "learn", "standby", "gateway", "encode", "desk", "watch"]
Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """name: as in Prometheus, without `upwell_`; a counter's without `_total`. path: in the record,
    by dots; `{label}` is any key, and the label's value, `{label:a|b}` one of these keys. roles:
    whose records have it. seldom: only where there is something to tell. scale: what the record's
    number is multiplied with.
    """

    name: str
    kind: Kind
    path: str
    unit: str
    help: str
    roles: tuple[Role, ...] = ("serve",)
    seldom: bool = False
    scale: float = 1.0

    @property
    def full_name(self) -> str:
        """As a query names it; of a histogram without its `_bucket`."""
        return f"{PREFIX}{self.name}{'_total' if self.kind == 'counter' else ''}"

    @property
    def labels(self) -> tuple[str, ...]:
        """Beside `worker`, in the order of the path."""
        return tuple(re.findall(r"\{(\w+)", self.path))


def leaves(record: Any, path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What stands at `path` (of a `Metric`) in a record, with the values of its labels; None is
    left out.
    """
    head, _, rest = path.partition(".")
    if not path:
        if record is not None:
            yield (), record
    elif not isinstance(record, Mapping):
        return
    elif not head.startswith("{"):
        yield from leaves(record.get(head), rest)
    else:
        only = head.strip("{}").partition(":")[2]
        for key, value in record.items():
            if not only or key in only.split("|"):
                for labels, found in leaves(value, rest):
                    yield (str(key), *labels), found
