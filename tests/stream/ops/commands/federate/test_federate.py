"""`upwell federate`: options that do not go together are refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.ops.cli import app
from upwell.system.exit_codes import ExitCode


def refused(*words: str) -> str:
    done = CliRunner().invoke(app, ["federate", *words])
    assert done.exit_code == ExitCode.REFUSED, done.output
    return " ".join(done.output.split())


def of_server(tmp_path: Path, *words: str, clients: int = 8) -> str:
    counts = ["--clients", str(clients), "--rounds", "2", "--out", str(tmp_path / "models")]
    return refused("server", *counts, *words)


def test_a_server_that_could_withstand_nobody(tmp_path: Path) -> None:
    assert "needs 3 reports a round, there are 2" in of_server(tmp_path, clients=2)
    krum = ["--aggregate", "krum", "--liars", "3"]
    assert "needs 9 reports a round" in of_server(tmp_path, *krum)
    assert "one of mean, trimmed-mean, krum" in of_server(tmp_path, "--aggregate", "median")
    assert "take either" in of_server(tmp_path, "--secure")
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--clip", "1"], "--clip and --noise go together"),
        (["--clip", "0", "--noise", "1"], "both are above 0"),
        (["--secret", "short"], "a secret at least 32"),
        (["--secret", "long", "--clip", "1", "--noise", "1"], "take either"),
    ],
)
def test_a_client_that_would_hide_nothing(
    words: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("short").write_text("secret")
    Path("long").write_text("0" * 64)
    client = ["client", "log.jsonl", "--server", "127.0.0.1:1", "--name", "a"]
    assert why in refused(*client, *words)
