"""Are there known vulnerabilities in the locked dependencies: python -m tests.security.audit (what
`make audit` runs).

pip-audit asks an advisory service about each of them. Where it cannot be reached, or does not know
a package, pip-audit itself ends well and says "no known vulnerabilities"; here that is a failure,
for nothing was audited. Exit codes: 0 clean, 1 vulnerable, 3 not audited.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["judge", "main"]

LOCK = Path(__file__).parents[2] / "requirements.lock"
PIP_AUDIT = "pip-audit>=2.9,<3"
CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 3
SECONDS = 900
SHOWN = 5


def judge(report: Mapping[str, Any] | None, told: str) -> tuple[int, list[str]]:
    """The exit code and the lines for a person.

    report: pip-audit's JSON, None where it gave none; told: its last line of errors.
    """
    if report is None:
        return NOT_AUDITED, [f"NOT audited, the advisory service cannot be reached: {told}"]
    dependencies: Sequence[Mapping[str, Any]] = report["dependencies"]
    skipped = [
        f"{one['name']}: {one['skip_reason']}" for one in dependencies if "skip_reason" in one
    ]
    found = [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in "
        f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in dependencies
        for flaw in one.get("vulns", ())
    ]
    if found:
        return VULNERABLE, [f"{len(found)} known vulnerabilities:", *found]
    if skipped or not dependencies:
        return NOT_AUDITED, [
            f"NOT audited, {len(skipped)} of {len(dependencies)} are not known to the "
            "advisory service:",
            *skipped[:SHOWN],
        ]
    return CLEAN, [f"{len(dependencies)} locked dependencies, no known vulnerability"]


def main() -> int:
    uv = Path(sys.executable).with_name("uv")
    command = [
        str(uv),
        "tool",
        "run",
        "--quiet",
        "--from",
        PIP_AUDIT,
        "pip-audit",
        "--requirement",
        str(LOCK),
        "--require-hashes",
    ]
    try:
        done = subprocess.run(
            [*command, "--disable-pip", "--format", "json", "--progress-spinner", "off"],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        code, lines = judge(*_read(done.stdout, done.stderr))
    except (OSError, subprocess.TimeoutExpired) as exc:
        code, lines = NOT_AUDITED, [f"NOT audited, pip-audit did not run: {exc}"]
    sys.stdout.write("\n".join(lines) + "\n")
    return code


def _read(output: str, errors: str) -> tuple[Mapping[str, Any] | None, str]:
    told = (errors.strip().splitlines() or ["it said nothing"])[-1][:300]
    try:
        report: Mapping[str, Any] = json.loads(output)
    except ValueError:
        return None, told
    return report, told


if __name__ == "__main__":
    sys.exit(main())
