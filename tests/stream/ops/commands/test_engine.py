"""Which roles run here, and what is refused."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.ops.cli import app
from stream.ops.commands.engine import roles_of
from upwell.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        (None, ()),
        ("serve", ("serve",)),
        ("learn", ("learn",)),
        (" learn, serve ", ("serve", "learn")),
        ("serve,serve", ("serve",)),
        ("watch,encode,serve", ("serve", "encode", "watch")),
    ],
)
def test_roles_are_started_in_their_order(text: str | None, roles: tuple[str, ...]) -> None:
    assert roles_of(text) == roles


@pytest.mark.parametrize("text", ["", "encoder", "serve,", "serve;learn"])
def test_what_is_no_role_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match=f"--roles is '{text}': must be of serve, learn"):
        roles_of(text)


@pytest.mark.parametrize("roles", ["serve", "learn", "encode", "learn, encode"])
def test_a_part_of_the_engine_needs_the_broker_of_the_rest(
    roles: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the handler would stay
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UPWELL_KAFKA", raising=False)
    monkeypatch.setenv("UPWELL_DATA", str(tmp_path))
    done = CliRunner().invoke(app, ["run", "--roles", roles])
    assert done.exit_code == 2
    assert f"only {roles} is to run here, and no broker is named: set UPWELL_KAFKA" in " ".join(
        done.output.split()
    )
    assert list(tmp_path.iterdir()) == []
