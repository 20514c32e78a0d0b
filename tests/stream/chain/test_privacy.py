"""Pseudonyms are stable and keyed, the key is kept whole and private, and personal data leaves the
text while titles and scores stay.
"""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.chain.privacy import MIN_KEY_BYTES, Pseudonymizer, load_or_create_key, scrub
from upwell.errors import SettingsError

KEY = bytes(range(32))

KEPT = [
    "1984",
    "2001: A Space Odyssey",
    "Half-Life 2: 2004",
    "Fallout 76 10/10",
    "1-900 (06) (1994)",
    "Blade Runner (1982) (2007)",
    "1914-1918 and 1939-1945",
    "1999 2000 2001 2002",
    "on 2019-03-04, or 04.03.2019 at 20:15",
    "only $1,299.99 instead of 1.500.000",
    "1 000 000 players, 4294967296000000000000 of them",
    "played for 1200 hours, 10 20 30 40 50 60 70",
    "pi is 3.141592653589",
    "192.168.100.101",
    "9.5 10 9 8.75 10/10",
    "100000000/10",
    "20000000 / 100",
    "version 1.2.3.4567",
    "me @ home, 5 @ 3",
    "AB12-3456-7890",
    "1111111111111111",
    "978-3-16-148410-0",
    "9783161484100",
    "1700000000000",
    "1 2 3 4 5 6 7 8 9 10",
]

MASKED = {
    "write to ann.lee+x@mail.example.co.uk!": "write to ⟨email⟩!",
    "ann@example.com,bob@example.org": "⟨email⟩,⟨email⟩",
    "андрей@почта.рф": "⟨email⟩",
    "+1 (555) 123-4567": "⟨phone⟩",
    "call +49 30 901820 now": "call ⟨phone⟩ now",
    "+33 (0)6 12 34 56 78": "⟨phone⟩",
    "06 12 34 56 78.": "⟨phone⟩.",
    "(020) 7946 0958": "⟨phone⟩",
    "555-123-4567 or 555.123.4567": "⟨phone⟩ or ⟨phone⟩",
    "a 867-5309 b": "a ⟨phone⟩ b",
    "13912345678": "⟨phone⟩",
    "+8613912345678": "⟨phone⟩",
    "4111 1111 1111 1111": "⟨card⟩",
    "4111-1111-1111-1111 12/29": "⟨card⟩ 12/29",
    "4111111111111111 123": "⟨card⟩ 123",
    "3782 822463 10005": "⟨card⟩",
    "5555555555554444, 4222222222222": "⟨card⟩, ⟨card⟩",
    "555-123-4567 555-123-4568": "⟨phone⟩ ⟨phone⟩",
    "555 123 4567 555 123 4568": "⟨phone⟩ ⟨phone⟩",
    "06 12 34 56 78. 4111-1111-1111-1111": "⟨phone⟩. ⟨card⟩",
    "12-4111111111111111": "12-⟨card⟩",
    "0049 30 9018201": "⟨phone⟩",
    "0-306-40615-2": "⟨phone⟩",  # an ISBN of 10 digits: said in the docstring
}

PIECES = st.sampled_from(
    [
        *KEPT,
        *MASKED,
        *" .-,;/()+@\n",
        " / 10",
        "(0)",
        "0",
        "12",
        "345",
        "6789",
        "2004",
        "1234567",
        "a@b.co",
        "x",
        "⟨phone⟩",
        "٣",
    ]
)


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


@pytest.mark.parametrize("text", KEPT)
def test_years_prices_scores_and_titles_stay(text: str) -> None:
    assert scrub(text) == text
    assert scrub(f"I say: {text}, and so on") == f"I say: {text}, and so on"


@pytest.mark.parametrize(("text", "scrubbed"), MASKED.items())
def test_personal_data_goes(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed
    assert scrub(f"I say: {text}; and so on") == f"I say: {scrubbed}; and so on"


@given(st.lists(PIECES, max_size=12).map("".join))
@example("3782 822463 10005+1-900 (06) (1994)")
@example("06 12 34 56 78. 4111-1111-1111-1111 12/29")
@example("06 12 34 56 78.4111111111111111")
@example("555 123 4567 / 1234 567 8901")
def test_scrubbing_twice_changes_nothing(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map(" ".join))
def test_scrubbing_twice_changes_nothing_in_words(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@given(st.text().filter(lambda text: "@" not in text and not re.search(r"\d", text)))
def test_text_without_digits_and_at_signs_stays(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1 ",
        "1-",
        "12 34 ",
        "123 456 ",
        "2345 6789 ",
        "(1)",
        "(1",
        "(",
        "+",
        "+1 ",
        "1 .-",
        "1(1).",
        "a1",
        "@",
        "a@",
        "a@b.",
        "a.",
        "'",
    ],
)
def test_a_text_made_to_be_slow_comes_to_an_end(unit: str) -> None:
    size = (
        100_000 if any(digit in unit for digit in "123") else 1_000_000
    )  # five times, or fifty times, the longest text of an event
    slow = unit * (size // len(unit))
    for text in (slow, f"x{slow}x@"):
        assert scrub(f"{text} ann@example.org").endswith(" ⟨email⟩")
