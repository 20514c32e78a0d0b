"""Java and Maven: found, or one line that says how to install them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.java import INSTALL_LINE, find_java, find_maven
from upwell.errors import BrokerError

Put = Callable[[str, str], None]
OneLine = Callable[["pytest.ExceptionInfo[BrokerError]"], str]


@pytest.mark.usefixtures("only_in_path")
@pytest.mark.parametrize(
    ("find", "lacks"), [(find_java, "no java found"), (find_maven, "no mvn found")]
)
def test_what_is_missing_is_named_with_its_mending(
    find: Callable[[], str], lacks: str, one_line: OneLine
) -> None:
    with pytest.raises(BrokerError, match=lacks) as error:
        find()
    assert INSTALL_LINE in one_line(error)
    assert "UPWELL_KAFKA" in one_line(error)


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ('openjdk version "11.0.2" 2019-01-15', "is Java 11:"),
        ('java version "1.8.0_351"', "is Java 8:"),
        ("nothing", "does not tell its version .nothing"),
        ("", "does not tell its version .it says nothing"),
    ],
)
def test_an_old_java_is_named(only_in_path: Put, one_line: OneLine, says: str, told: str) -> None:
    only_in_path("java", f"echo '{says}' >&2")
    with pytest.raises(BrokerError, match=told) as error:
        find_java()
    assert INSTALL_LINE in one_line(error)


def test_a_java_that_cannot_be_run_is_one_line(
    only_in_path: Put, tmp_path: Path, one_line: OneLine
) -> None:
    only_in_path("java", "")
    (tmp_path / "programs" / "java").write_bytes(b"\x7fELF but torn")
    with pytest.raises(BrokerError, match="cannot be run") as error:
        find_java()
    assert INSTALL_LINE in one_line(error)


@pytest.mark.parametrize("version", ["17.0.15", "21.0.4", "25"])
def test_a_new_java_is_taken(only_in_path: Put, version: str) -> None:
    only_in_path("java", f"echo 'openjdk version \"{version}\" 2024-07-16' >&2")
    assert find_java().endswith("/programs/java")


def test_java_home_goes_before_the_path(
    only_in_path: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_line: OneLine
) -> None:
    only_in_path("java", "echo 'openjdk version \"21\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    with pytest.raises(BrokerError, match=f"no java found in JAVA_HOME .{tmp_path}/jdk") as error:
        find_java()
    one_line(error)
    (tmp_path / "jdk").mkdir()
    (tmp_path / "programs").rename(tmp_path / "jdk" / "bin")
    assert find_java() == str(tmp_path / "jdk" / "bin" / "java")
