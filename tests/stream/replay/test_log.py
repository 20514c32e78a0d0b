"""Files in, records and bad lines out."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.replay.log import MAX_LINE_BYTES, BadLine, LogReader, LogRecord, read_log
from upwell.errors import LogError
from upwell.events import Topic

CLICK = b'{"topic":"clicks","key":"ann","value":{"item_id":"i1","ts":17}}'
RECORD = LogRecord(1, Topic.CLICKS, b"ann", b'{"item_id":"i1","ts":17}')


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., Path]:
    def write(content: bytes, name: str = "log.jsonl") -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def test_plain_and_packed_give_the_same(log: Callable[..., Path]) -> None:
    content = CLICK + b"\n" + CLICK
    expected = [RECORD, LogRecord(2, Topic.CLICKS, b"ann", RECORD.value)]
    assert list(read_log(log(content))) == expected
    assert list(read_log(log(gzip.compress(content), "log.jsonl.gz"))) == expected
    assert (
        list(read_log(log(gzip.compress(CLICK + b"\n") + gzip.compress(CLICK), "two.jsonl.gz")))
        == expected
    )


def test_byte_order_mark_windows_line_ends_and_blank_lines_are_life_as_usual(
    log: Callable[..., Path],
) -> None:
    found = list(read_log(log(b"\xef\xbb\xbf" + CLICK + b"\r\n\r\n  \n" + CLICK + b"\r\n")))
    assert found == [RECORD, LogRecord(4, Topic.CLICKS, b"ann", RECORD.value)]


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        (
            CLICK.replace(b"clicks", b"clikcs"),
            "unknown_topic",
            "the topic is “clikcs”; known are items, clicks",
        ),
        (CLICK.replace(b"clicks", b"recommendations"), "unknown_topic", "known are"),
        (CLICK.replace(b'"clicks"', b"7"), "unknown_topic", "not a string"),
        (CLICK[:-2], "truncated", "ends in the middle"),
        (b"click ann i1", "bad_json", "no JSON"),
        (CLICK.replace(b"17", b"NaN"), "not_finite", "NaN"),
        (CLICK.replace(b"i1", b"\xff"), "not_utf8", "0xFF"),
        (b"[1]", "not_an_object", '{"topic"'),
        (b'{"key":"ann","value":{}}', "missing_field", "topic is missing"),
        (b'{"topic":"clicks","key":"ann"}', "missing_field", "value is missing"),
        (CLICK.replace(b'"ann"', b"42"), "wrong_type", "quotes"),
        (CLICK.replace(b"i1", b"x" * 1_100_000), "too_large", "at most 1,000,000 can be sent"),
        (b"x" * (MAX_LINE_BYTES + 9), "too_large", "more than"),
    ],
)
def test_a_bad_line_is_told_with_its_number_and_the_log_goes_on(
    log: Callable[..., Path], line: bytes, reason: str, detail: str
) -> None:
    first, bad, last = read_log(log(CLICK + b"\n" + line + b"\n" + CLICK))
    assert isinstance(bad, BadLine)
    assert (bad.line, bad.reason) == (2, reason)
    assert detail in bad.detail
    assert str(bad).startswith("line 2: ")
    assert "\n" not in str(bad)
    assert len(bad.raw) <= 200
    assert (first, last) == (RECORD, LogRecord(3, Topic.CLICKS, b"ann", RECORD.value))


def test_a_value_stays_what_it_is_and_a_key_may_be_missing(log: Callable[..., Path]) -> None:
    (found,) = read_log(log(b'{"topic":"reviews","key":null,"value":{"rating":11,"user_id":42}}'))
    assert found == LogRecord(1, Topic.REVIEWS, None, b'{"rating":11,"user_id":42}')


def test_a_truncated_gzip_gives_what_can_be_read_and_says_so(log: Callable[..., Path]) -> None:
    lines = [
        b'{"topic":"clicks","key":"u%d","value":{"n":"%s"}}\n' % (i, os.urandom(8).hex().encode())
        for i in range(5_000)
    ]
    packed = gzip.compress(b"".join(lines))
    found = list(read_log(log(packed[: len(packed) // 2], "log.jsonl.gz")))
    last = found.pop()
    assert isinstance(last, BadLine)
    assert last.reason == "truncated"
    assert "ends too early" in last.detail
    assert f"{len(found):,} lines" in last.detail
    assert last.line == len(found) + 1
    assert len(found) > 2_000
    assert all(isinstance(one, LogRecord) for one in found)


def test_a_damaged_gzip_says_so(log: Callable[..., Path]) -> None:
    packed = bytearray(gzip.compress(CLICK + b"\n"))
    packed[-6] ^= 0xFF  # its checksum
    *_, last = read_log(log(bytes(packed), "log.jsonl.gz"))
    assert isinstance(last, BadLine)
    assert "is damaged" in last.detail


def test_unreadable_logs_are_one_line(log: Callable[..., Path], tmp_path: Path) -> None:
    for path, word in (
        (tmp_path / "none.jsonl", "there is no log"),
        (tmp_path, "is a folder"),
        (log(b""), "is empty"),
        (log(CLICK, "plain.jsonl.gz"), "is no gzip file"),
    ):
        with pytest.raises(LogError, match=word) as caught:
            read_log(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_progress_counts_bytes_of_the_file(log: Callable[..., Path]) -> None:
    reader = LogReader(log((CLICK + b"\n") * 3))
    assert reader.progress == (0, reader.total_bytes)
    assert len(list(reader)) == 3
    assert reader.progress == (reader.total_bytes, reader.total_bytes)


def test_a_value_that_can_be_read_but_not_written_is_a_bad_line(log: Callable[..., Path]) -> None:
    deep = b'{"topic":"clicks","key":null,"value":' + b"[" * 900 + b"]" * 900 + b"}"
    bad, good = read_log(log(deep + b"\n" + CLICK))
    assert isinstance(bad, BadLine)
    assert (bad.reason, isinstance(good, LogRecord)) == ("too_deep", True)
