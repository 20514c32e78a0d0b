"""Personal data leaves the text; titles, prices, scores and article numbers stay."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.chain.scrub import scrub

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
    "0-306-40615-2",
    "0 306 40615 2",
    "0306406152",
    "036000291452",
    "4251234567894",
    "14251234567891",
    "8888888888888888",  # digits that Luhn accepts, of no issuer
    "2721000000000004",
    "4222222222222",
    "Ⅷ ½ m² １９８４ ２０１９－０３－０４ 第１２話 👨‍👩‍👧 e\u0301",
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
    "5555555555554444, 36700102000000": "⟨card⟩, ⟨card⟩",
    "555-123-4567 555-123-4568": "⟨phone⟩ ⟨phone⟩",
    "555 123 4567 555 123 4568": "⟨phone⟩ ⟨phone⟩",
    "06 12 34 56 78. 4111-1111-1111-1111": "⟨phone⟩. ⟨card⟩",
    "12-4111111111111111": "12-⟨card⟩",
    "0049 30 9018201": "⟨phone⟩",
    "ann＠example.org": "⟨email⟩",
    "ａｎｎ＠ｅｘａｍｐｌｅ．ｏｒｇ": "⟨email⟩",
    "ann@\u200bexample\u00ad.org": "⟨email⟩",
    "用户@例子。公司": "⟨email⟩",
    "अंजलि@उदाहरण.भारत": "⟨email⟩",
    "ann@xn--80a1acny.xn--p1ai": "⟨email⟩",
    "DE89 3704 0044 0532 0130 00": "⟨iban⟩",
    "de89370400440532013000": "⟨iban⟩",
    "GB82-WEST-1234-5698-7654-32": "⟨iban⟩",
    "NO93 8601 1117 947 and FR14 2004 1010 0505 0001 3M02 606": "⟨iban⟩ and ⟨iban⟩",
    "MT84\u00a0MALT\u00a00110\u00a00001\u00a02345\u00a0MTLC\u00a0AST0\u00a001S": "⟨iban⟩",
    "０９０‐１２３４‐５６７８": "⟨phone⟩",
    "+٤٩ ٣٠ ٩٠١٨٢٠": "⟨phone⟩",
    "٤١١١ ١١١١ ١١١١ ١١١١": "⟨card⟩",
    "+1 212\u2011555\u20110123": "⟨phone⟩",
    "+1\u00a0(212)\u00a0555\u20130123": "⟨phone⟩",
    "1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣9️⃣0️⃣1️⃣": "⟨phone⟩",
    "+036000291452": "⟨phone⟩",  # the check digit of an article, written as none
    "(030) 640-6152": "⟨phone⟩",
    "call me: 0306406152": "call me: ⟨phone⟩",
    "ann,555-123-4567,x": "ann,⟨phone⟩,x",
    "Tel.0306406152": "Tel.⟨phone⟩",
    "2223003122003222": "⟨card⟩",
    "2720 9999 9999 9996": "⟨card⟩",
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
        "٣٤٥",
        "０",
        "－",
        "＠",
        "。",
        "\u200b",
        "⑩",
        "½",
        "\ufdfa",
        "e\u0301",
        "DE89",
        "GB82 WEST",
        "4251234567894",
        "0306406152",
    ]
)


@pytest.mark.parametrize("text", KEPT)
def test_years_prices_scores_and_titles_stay(text: str) -> None:
    assert scrub(text) == text
    assert scrub(f"I say: {text}, and so on") == f"I say: {text}, and so on"


@pytest.mark.parametrize(("text", "scrubbed"), MASKED.items())
def test_personal_data_goes(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed
    assert scrub(f"I say: {text}; and so on") == f"I say: {scrubbed}; and so on"


def test_numbers_of_the_catalogue_are_no_phones() -> None:
    known = {"75192", "42115", "5551234567"}.__contains__
    assert scrub("LEGO 75192 42115", known) == "LEGO 75192 42115"
    assert scrub("5551234567 and 555-123-4567", known) == "5551234567 and ⟨phone⟩"
    assert scrub("75192 42116, 5551234569", known) == "⟨phone⟩, ⟨phone⟩"
    assert scrub("75192 42115, +49 30 901820", known) == "75192 42115, ⟨phone⟩"
    assert scrub("75192 42115") == "⟨phone⟩"


def test_what_stays_is_not_touched() -> None:
    """Neither folded nor normalized: the encoder reads what the user wrote."""
    around = "Ｆｕｌｌ　ｗｉｄｔｈ ﬁne ① e\u0301 \u202b١٩٨٤\u202c"
    assert scrub(f"{around} ann＠example.org {around}, ０６ １２ ３４ ５６ ７８, {around}") == (
        f"{around} ⟨email⟩ {around}, ⟨phone⟩, {around}"
    )


@given(st.text(max_size=40), st.sampled_from("０٠०๐𝟎"))
def test_digits_of_any_script_are_read(text: str, zero: str) -> None:
    other = "".join(chr(ord(zero) + int(digit)) for digit in "4111111111111111")
    words = "".join(one for one in text if one.isalpha())
    assert scrub(f"{words}, {other}; {words}") == f"{words}, ⟨card⟩; {words}"


@given(st.text(max_size=60))
@example("1 2 3 4 5 6 7 8 9 10½call me: 0306406152")
@example("198419842720 9999 9999 9996 .2720 9999 9999 9996Half-Life 2: 2004")
@example("０９０‐１２３４‐５６７８:0306406152")
def test_scrubbing_any_text_twice_changes_nothing(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


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
