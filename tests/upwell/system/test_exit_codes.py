"""One table of exit codes: each has a meaning, and each fault's is one of them."""

from __future__ import annotations

from upwell import errors
from upwell.system.exit_codes import MEANINGS, ExitCode


def test_each_code_has_a_meaning_of_its_own() -> None:
    assert list(MEANINGS) == list(ExitCode)
    assert len(set(MEANINGS.values())) == len(MEANINGS)


def test_what_scripts_have_relied_on_stays() -> None:
    assert {one.name: one.value for one in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "REFUSED": 2,
        "BROKER": 3,
        "STORE": 4,
        "ENCODER": 5,
        "LOG": 6,
        "MODEL": 7,
        "SNAPSHOT": 8,
        "LETTER": 9,
        "INSTALLATION": 10,
        "UNFORESEEN": 70,
        "STALLED": 75,
        "INTERRUPTED": 130,
    }


def test_each_fault_ends_with_one_of_them() -> None:
    for name in errors.__all__:
        assert isinstance(getattr(errors, name).exit_code, ExitCode)
