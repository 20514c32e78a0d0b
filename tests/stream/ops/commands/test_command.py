"""What every command does alike: one line for a fault, an orderly end, JSON alone on its output."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import typer

from stream.ops.commands.command import connected, faults, interruptible, print_json, settings
from upwell.errors import BrokerError, SettingsError


@pytest.mark.parametrize("fault", [SettingsError("wrong [red]"), BrokerError("far [red]")])
def test_a_fault_is_one_line_and_its_own_exit_code(
    fault: SettingsError | BrokerError, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, faults():
        raise fault
    assert ended.value.exit_code == fault.exit_code
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"upwell: {fault}\n")


def test_a_traceback_is_for_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPWELL_TRACEBACK", "1")
    with pytest.raises(BrokerError), faults():
        raise BrokerError("far")


def test_a_mistake_of_ours_is_not_made_into_a_line() -> None:
    with pytest.raises(ZeroDivisionError), faults():
        raise ZeroDivisionError


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_in_order(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    # a process that was started in the background ignores it
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    closed: list[str] = []

    def work() -> None:
        try:
            os.kill(os.getpid(), number)
            while True:  # not `pause`: another thread may be given the signal
                time.sleep(0.01)
        finally:
            closed.append("yes")

    try:
        with pytest.raises(typer.Exit) as ended, interruptible():
            work()
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)
    assert ended.value.exit_code == 130
    assert closed == ["yes"]
    assert capsys.readouterr().out == ""


def test_json_is_one_line_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": np.float32(1.5), "b": np.arange(2), "c": "ü\n"})
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert json.loads(out) == {"a": 1.5, "b": [0, 1], "c": "ü\n"}
    assert err == ""


def test_the_file_in_this_folder_counts_and_variables_count_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "upwell.toml").write_text('[kafka]\naddress = "file:1"\nprefix = "file."\n')
    monkeypatch.setenv("UPWELL_KAFKA", "variable:1")
    assert settings().kafka.address == "variable:1"
    assert connected().kafka.prefix == "file."


def test_without_a_broker_there_is_nobody_to_connect_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UPWELL_KAFKA", raising=False)
    monkeypatch.setenv("UPWELL_DATA", str(tmp_path / "data"))
    with pytest.raises(BrokerError, match="upwell run"):
        connected()
