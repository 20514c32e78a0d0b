"""What `doctor` says of who encodes."""

from __future__ import annotations

from typing import Any

import pytest

from stream.ops.encode_line import encode_line

NOW = 1_700_000_000_000


def serve(**waits: float) -> dict[str, Any]:
    return {"instance": "serve-0", "role": "serve", "at": NOW, "encode_waits": waits}


def encode(name: str, age_ms: int = 0, leaves: bool = False) -> dict[str, Any]:
    texts = {"texts": {"users": 1_000, "items": 234}}
    at = NOW - age_ms
    return {
        "instance": name,
        "role": "encode",
        "at": at,
        "leaves": leaves,
        "encode": texts,
    }


@pytest.mark.parametrize(
    ("by", "figures", "line"),
    [
        ("serve", [serve()], "each serve worker by itself"),
        (
            "serve",
            [encode("encode-a")],
            "warning: each serve worker by itself; encode-a (1,234 texts) wait in vain: set "
            "UPWELL_ENCODED_BY",
        ),
        ("encode", [serve(users=3.0), encode("encode-a")], "encode-a (1,234 texts)"),
        (
            "encode",
            [encode("encode-b", 9_000), encode("encode-a")],
            "encode-b (1,234 texts), encode-a (1,234 texts)",
        ),
        (
            "encode",
            [serve(users=42.4, items=1.0), encode("encode-a")],
            "warning: encode-a (1,234 texts); serve-0 has waited for 42 s with users'",
        ),
    ],
)
def test_who_encodes_is_told(by: str, figures: list[dict[str, Any]], line: str) -> None:
    assert encode_line(by, figures, NOW) == line


@pytest.mark.parametrize("figures", [[], [encode("a", 11_000)], [encode("a", 0, leaves=True)]])
def test_nobody_there_is_a_warning(figures: list[dict[str, Any]]) -> None:
    line = encode_line("encode", [serve(users=42.0), *figures], NOW)
    assert line.startswith("warning: serve leaves it to encode workers, and none has been heard")
    assert line.endswith("; serve-0 has waited for 42 s with users'")
