"""One tree of faults: drawn as it is, and each end tells its own exit code."""

from __future__ import annotations

from upwell import errors
from upwell.errors import InvalidEventError, UpwellError

KINDS = [getattr(errors, name) for name in errors.__all__]


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = [line.split()[1] for line in (errors.__doc__ or "").splitlines() if "── " in line]
    assert sorted(drawn) == sorted(kind.__name__ for kind in KINDS if kind is not UpwellError)
    assert all(kind.__bases__ == (UpwellError,) for kind in KINDS if kind is not UpwellError)


def test_each_fault_of_the_surroundings_has_an_exit_code_of_its_own() -> None:
    codes = [kind.exit_code for kind in KINDS if kind is not InvalidEventError]
    assert len(set(codes)) == len(codes)
    assert 0 not in codes


def test_a_wrong_event_is_counted_by_its_reason() -> None:
    wrong = InvalidEventError("empty", "text has no words in it")
    assert (wrong.reason, wrong.detail) == ("empty", "text has no words in it")
    assert str(wrong) == "empty: text has no words in it"
