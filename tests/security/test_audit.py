"""An audit that looked at nothing is no clean one."""

from __future__ import annotations

import pytest

from tests.security.audit import judge

KNOWN = {"name": "orjson", "version": "3.0.0", "vulns": []}
FLAWED = {
    "name": "torch",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}, {"id": "PYSEC-2", "fix_versions": []}],
}
SKIPPED = {
    "name": "numba",
    "skip_reason": "Dependency not found on PyPI and could not be audited: numba (0.68)",
}


@pytest.mark.parametrize(
    ("dependencies", "code", "said"),
    [
        ([KNOWN], 0, "1 locked dependencies, no known vulnerability"),
        ([KNOWN, FLAWED, SKIPPED], 1, "2 known vulnerabilities:"),
        ([KNOWN, SKIPPED], 3, "NOT audited, 1 of 2"),
        ([], 3, "NOT audited"),
    ],
)
def test_what_a_report_means(dependencies: list[dict[str, object]], code: int, said: str) -> None:
    found, lines = judge({"dependencies": dependencies, "fixes": []}, "")
    assert found == code
    assert said in lines[0]


def test_a_flaw_is_named_with_its_mending() -> None:
    _, lines = judge({"dependencies": [FLAWED]}, "")
    assert lines[1:] == [
        "torch 1.0: PYSEC-1, fixed in 1.1",
        "torch 1.0: PYSEC-2, fixed in no version yet",
    ]


def test_no_answer_is_said() -> None:
    code, lines = judge(None, "connection refused")
    assert (code, lines) == (
        3,
        ["NOT audited, the advisory service cannot be reached: connection refused"],
    )
