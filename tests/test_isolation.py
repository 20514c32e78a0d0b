"""Everything that reads a topic reads what was committed: of a transaction that was aborted, or is
open, no event may have an effect, and no position may count it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("upwell", "gateway", "stream", "infra", "learner", "store", "encoders")


def consumers(source: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id.endswith("KafkaConsumer")
        ):
            yield node


def reads_committed(call: ast.Call) -> bool:
    return any(
        one.arg == "isolation_level"
        and isinstance(one.value, ast.Constant)
        and one.value.value == "read_committed"
        for one in call.keywords
    )


def test_every_consumer_reads_what_was_committed() -> None:
    found = [
        (f"{path.relative_to(ROOT)}:{call.lineno}", reads_committed(call))
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for call in consumers(path.read_text())
    ]
    assert len(found) > 10
    assert [place for place, committed in found if not committed] == []


def test_a_consumer_that_reads_all_is_found() -> None:
    (plain,) = consumers("KafkaConsumer(group_id=None, **client)")
    (other,) = consumers('KafkaConsumer(isolation_level="read_uncommitted")')
    (right,) = consumers('AIOKafkaConsumer(isolation_level="read_committed", **client)')
    assert [reads_committed(one) for one in (plain, other, right)] == [False, False, True]
