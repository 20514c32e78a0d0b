"""What README and docs say to type does what they say: each page's shell and Python, in its order,
in a folder of its own, beside a real engine and gateway.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.docs.blocks import ALL, Block, to_run
from tests.e2e.gateway.door import Door, opened
from tests.gateway.served import APP, OPERATOR

PAGES = sorted({block.page for block in ALL if to_run(block.page)})
GATEWAY = "http://127.0.0.1:8080"
SAYS = {
    "README.md": r"(?m)^(The red boat|A blue train) .* Fits your words “a space adventure",
    "docs/privacy.md": r"ann is forgotten; removed: ",
    "docs/tutorial.md": r"(?s)eva.*ms later:\n  .+ms later:\n  ",
}
"""What has to stand in the output."""


@pytest.fixture(scope="module")
def door(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(kafka, tmp_path_factory.mktemp("engine")) as one:
        yield one


def script(blocks: Sequence[Block], gateway: str) -> str:
    """One shell for all: what a block exports holds in the next."""
    lines = ["set -euo pipefail"]
    for block in blocks:
        lines.append(f"echo '--- block {block.number}' >&2")
        if block.language == "python":
            lines += ["python - <<'END_OF_BLOCK'", block.body, "END_OF_BLOCK"]
        else:
            lines.append(block.body)
    return "\n".join(lines).replace(GATEWAY, gateway)


def typed(text: str, folder: Path, own: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("UPWELL_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/bash", "-c", text],
        cwd=folder,
        env={**plain, "UPWELL_VECTORS": "off", **own, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(one, marks=pytest.mark.slow if one.startswith("docs/uses/") else ())
        for one in PAGES  # those of uses type what tests/recipes run
    ],
)
def test_what_a_page_says_to_type_works(door: Door, page: str, tmp_path: Path) -> None:
    kafka = door.engine.settings.kafka
    own = {
        "UPWELL_KAFKA": str(kafka.address),
        "UPWELL_PREFIX": kafka.prefix,
        "UPWELL_GATEWAY_APP_TOKEN": APP,
        "UPWELL_GATEWAY_OPERATOR_TOKEN": OPERATOR,
    }
    done = typed(script(to_run(page), door.address), tmp_path, own)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(SAYS.get(page, ""), done.stdout), done.stdout


def test_pages_that_have_to_say_something_are_run() -> None:
    assert len(PAGES) >= 5
    assert set(SAYS) <= set(PAGES)


def test_a_block_that_fails_is_named_and_ends_the_page(tmp_path: Path) -> None:
    page = [
        Block("p", 1, "bash", "export A=1\n"),
        Block("p", 2, "python", "import os, sys\nsys.exit(os.environ['A'])\n"),
        Block("p", 3, "bash", "echo never\n"),
    ]
    done = typed(script(page, ""), tmp_path, {})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-2:] == ["--- block 2", "1"]
