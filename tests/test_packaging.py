"""What a fresh machine installs: what pyproject.toml asks for, and a wheel that runs by itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).with_name("uv")
"""`make setup` installs it."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel installs, and nothing else."""
    built, target = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", built, ROOT)
    [wheel] = built.glob("*.whl")
    run(UV, "pip", "install", "--quiet", "--no-deps", "--target", target, wheel)
    return target


def run(*command: object) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def python(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in `folder`, as where only the wheel is installed."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("UPWELL_")}
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=plain | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_log_of_the_demo_and_its_licence_come_with_the_wheel(
    installed: Path, tmp_path: Path
) -> None:
    found = python(
        installed,
        tmp_path,
        *("-P", "-c"),
        "from stream.replay.bundled import bundled_log\n"
        "from stream.replay.log import LogRecord, read_log\n"
        "print(bundled_log())\n"
        "print(sum(isinstance(line, LogRecord) for line in read_log(bundled_log())))",
    )
    assert found.returncode == 0, found.stderr
    log = installed / "upwell" / "data" / "movielens" / "events.jsonl.gz"
    assert found.stdout.split() == [str(log), "114261"]
    licence = log.with_name("LICENSE.movielens").read_bytes()
    assert licence == (ROOT / "data" / "movielens" / "LICENSE.movielens").read_bytes()


def test_the_installed_command_runs_where_another_project_has_a_folder_of_the_same_name(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "__init__.py").write_text("raise SystemExit('of the app')\n")
    assert python(installed, tmp_path, "-P", "-m", "upwell", "--help").returncode == 0
    shadowed = python(installed, tmp_path, "-m", "upwell", "--help")
    assert shadowed.returncode == 10
    [line] = shadowed.stderr.splitlines()
    assert line.startswith(f"upwell: `import store` finds {tmp_path / 'store'}, not Upwell's")


def test_a_file_that_another_distribution_wrote_over_is_named(
    installed: Path, tmp_path: Path
) -> None:
    file = installed / "stream" / "ops" / "cli.py"
    own = file.read_bytes()
    file.write_text("print('of another distribution')\n")
    try:
        done = python(installed, tmp_path, "-P", "-m", "upwell", "--help")
    finally:
        file.write_bytes(own)
    assert (done.returncode, done.stdout) == (10, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"upwell: {file} is not the file that Upwell installed")
    assert "folder stream too" in line


def test_lock_pins_every_dependency_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {
        re.split(r"[<>=~!\[ ]", one)[0]
        for one in (
            project["project"]["dependencies"]
            + project["dependency-groups"]["test"]
            + project["dependency-groups"]["docs"]
        )
    }
    pinned = set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    )
    assert asked <= pinned, f"run `make lock`: {sorted(asked - pinned)}"
