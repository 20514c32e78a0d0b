"""Pseudonyms are stable and keyed, and the key is kept whole and private."""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.privacy import MIN_KEY_BYTES, Pseudonymizer, load_or_create_key
from upwell.errors import SettingsError

KEY = bytes(range(32))


def test_a_pseudonym_is_stable_and_keyed() -> None:
    one, again, other = Pseudonymizer(KEY), Pseudonymizer(KEY), Pseudonymizer(bytes(32))
    assert one.pseudonym("ann") == again.pseudonym("ann")
    assert re.fullmatch(r"[0-9a-f]{32}", one.pseudonym("ann"))
    assert len({one.pseudonym("ann"), one.pseudonym("Ann"), other.pseudonym("ann")}) == 3


def test_a_pseudonym_stays_the_same_across_releases() -> None:
    """HMAC-SHA-256 of a fixed text under a fixed key: another value would make all users new."""
    assert Pseudonymizer(b"\x0b" * 32).pseudonym("Hi There") == "198a607eb44bfbc69903a0f1cf2bbdc5"


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=2))
def test_users_are_not_mixed_up(users: set[str]) -> None:
    pseudonymizer = Pseudonymizer(KEY)
    assert len({pseudonymizer.pseudonym(user) for user in users}) == len(users)


def test_the_key_is_shown_nowhere() -> None:
    shown = repr(Pseudonymizer(KEY)) + str(Pseudonymizer(KEY))
    assert repr(KEY) not in shown
    assert KEY.hex() not in shown


def test_a_short_key_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"31 bytes.*UPWELL_KEY"):
        Pseudonymizer(KEY[:31])


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key"
    key = load_or_create_key(path)
    assert len(key) == MIN_KEY_BYTES
    assert load_or_create_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert load_or_create_key(tmp_path / "other") != key


def test_processes_that_start_together_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(load_or_create_key, [tmp_path / "key"] * 40))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("size", [0, 31])
def test_a_torn_key_is_refused_and_left_as_it_is(tmp_path: Path, size: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(bytes(size))
    with pytest.raises(SettingsError, match=f"torn \\({size} bytes\\)") as error:
        load_or_create_key(path)
    assert str(path) in str(error.value)
    assert path.read_bytes() == bytes(size)


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "key", tmp_path):
        with pytest.raises(SettingsError, match="cannot be kept"):
            load_or_create_key(path)
