"""`upwell serve`: what it says where it cannot start. tests/e2e/gateway sees it answer."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from stream.ops import cluster
from stream.ops.cli import app
from stream.ops.commands import gateway
from stream.ops.commands.gateway import of_engine
from upwell.settings import KafkaSettings, Settings


def started(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> tuple[int, str]:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the handler would stay
    monkeypatch.chdir(folder)
    monkeypatch.setenv("UPWELL_DATA", str(folder))
    done = CliRunner().invoke(app, ["serve", *words])
    return done.exit_code, " ".join(done.output.split())


def test_a_missing_extra_is_named_with_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(gateway, "NEEDED", ("starlette", "no_such_package_at_all"))
    code, said = started(monkeypatch, tmp_path)
    assert code == 2
    assert said == (
        "upwell: the gateway needs no_such_package_at_all: pip install 'upwell[gateway]'"
    )


def test_without_an_engine_it_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("UPWELL_KAFKA", raising=False)
    code, said = started(monkeypatch, tmp_path, "--port", "0")
    assert code == 3
    assert "no broker runs on" in said
    assert "upwell run" in said


@pytest.mark.parametrize(
    ("words", "token", "part"),
    [
        (["--host", "0.0.0.0"], None, "no token is set"),  # noqa: S104
        (["--host", "no-such-host.invalid"], "t" * 16, "no address of this machine"),
        ([], "short", "UPWELL_GATEWAY_APP_TOKEN is not right"),
    ],
)
def test_what_would_be_wrong_is_said_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], token: str | None, part: str
) -> None:
    monkeypatch.setenv("UPWELL_KAFKA", "127.0.0.1:1")  # nobody listens there
    if token is not None:
        monkeypatch.setenv("UPWELL_GATEWAY_APP_TOKEN", token)
    code, said = started(monkeypatch, tmp_path, *words)
    assert code == 2
    assert part in said
    assert token is None or token not in said


def test_a_port_that_is_taken_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UPWELL_KAFKA", "127.0.0.1:1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = started(monkeypatch, tmp_path, "--port", str(port))
    assert code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in said


@pytest.mark.parametrize(
    ("words", "token", "part"),
    [
        (["--host", "0.0.0.0"], None, "no token is set"),  # noqa: S104
        (["--host", "no-such-host.invalid"], "t" * 16, "no address of this machine"),
        (["--port", "0"], "short", "UPWELL_GATEWAY_APP_TOKEN is not right"),
    ],
)
def test_what_would_be_wrong_is_said_before_an_engine_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], token: str | None, part: str
) -> None:
    (tmp_path / "kafka").mkdir()  # of an engine that ran here: one would be started on it
    monkeypatch.delenv("UPWELL_KAFKA", raising=False)
    monkeypatch.setattr(cluster, "running_cluster", never)
    if token is not None:
        monkeypatch.setenv("UPWELL_GATEWAY_APP_TOKEN", token)
    code, said = started(monkeypatch, tmp_path, *words)
    assert (code, said.count("upwell: ")) == (2, 1)
    assert part in said


def test_a_taken_port_is_said_before_an_engine_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "kafka").mkdir()
    monkeypatch.delenv("UPWELL_KAFKA", raising=False)
    monkeypatch.setattr(cluster, "running_cluster", never)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = started(monkeypatch, tmp_path, "--port", str(port))
    assert code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in said


def never(*_: object) -> None:
    raise AssertionError("an engine was started")


def test_the_data_of_the_engine_whose_broker_runs_here_is_taken(tmp_path: Path) -> None:
    """`upwell demo --keep` has its own below the settings'."""
    own = Settings(kafka=KafkaSettings(address="127.0.0.1:9"), data=tmp_path)
    assert of_engine(own) == own
    announced = {"address": "127.0.0.1:9", "pid": 1, "folder": str(tmp_path / "demo" / "kafka")}
    (tmp_path / "broker.json").write_text(json.dumps(announced))
    assert of_engine(own).data == tmp_path / "demo"
    elsewhere = replace(own, kafka=KafkaSettings(address="10.0.0.7:9092"))
    assert of_engine(elsewhere) == elsewhere
    (tmp_path / "broker.json").write_text('{"address": "127.0.0.1:9", "pid": 1}')  # an older one
    assert of_engine(own) == own


@pytest.mark.parametrize("left", ["demo/kafka", "kafka"])
def test_where_no_engine_runs_one_is_started_on_what_is_there_and_ended_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, left: str
) -> None:
    (tmp_path / left).mkdir(parents=True)
    own = Settings(data=tmp_path)
    seen: list[str] = []

    class Supervisor:
        def watch(self, until: Callable[[], bool]) -> None:
            while not until():
                threading.Event().wait(0.01)
            seen.append("watched to the end")

    @contextmanager
    def running(settings: Settings, *_: object) -> Iterator[cluster.Cluster]:
        seen.append(str(settings.data.relative_to(tmp_path)))
        yield cluster.Cluster(settings, cast(Any, Supervisor()), True)
        seen.append("ended")

    monkeypatch.setattr(cluster, "running_cluster", running)
    with gateway.engine_of(own) as found:
        assert found.data == (tmp_path / left).parent
    assert seen == [str(Path(left).parent), "watched to the end", "ended"]
