"""From what an item says to bytes: each of the three ways, and each way around them refused."""

from __future__ import annotations

import os
from base64 import b64encode
from functools import partial
from pathlib import Path
from urllib.parse import SplitResult

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.pictures.source import Source, describe_type, read_picture
from tests.encoders.pictures.drawn import data_uri, drawing, encoded, outcome, reason
from upwell.values import PICTURE_REASONS

PNG = encoded(drawing())
OPEN = Source()


@pytest.fixture
def source(tmp_path: Path) -> Source:
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "c.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG)
    return Source(root, most_bytes=10_000)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_data_uri_is_read_in_each_of_four_types(kind: str) -> None:
    image = drawing()
    assert read_picture(data_uri(image, kind), OPEN) == encoded(image, kind)
    assert describe_type(encoded(image, kind)) == f"image/{kind.lower()}"


def test_the_declared_type_is_held_against_what_the_bytes_are() -> None:
    body = b64encode(PNG).decode()
    assert read_picture(f"DATA:Image/PNG;BASE64,{body}", OPEN) == PNG
    assert read_picture(f"data:image/png;name=a;base64,{body}", OPEN) == PNG
    jpg = b64encode(encoded(drawing(), "JPEG")).decode()
    assert read_picture(f"data:image/jpg;base64,{jpg}", OPEN)
    assert reason(lambda: read_picture(f"data:image/jpeg;base64,{body}", OPEN)) == "type"
    assert reason(lambda: read_picture(f"data:text/plain;base64,{body}", OPEN)) == "type"
    svg = b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode()
    assert reason(lambda: read_picture(f"data:image/svg+xml;base64,{svg}", OPEN)) == "type"


@pytest.mark.parametrize(
    "image",
    [
        "data:",
        "data:image/png",
        "data:;base64,AAAA",
        "data:image/png,%89PNG",
        "data:image/png;base64,AAA",
        "data:image/png;base64,AA AA",
        "data:image/png;base64,AAAA\n",
        "data:image/png;base64,ÄÄÄÄ",
    ],
)
def test_a_data_uri_that_is_none_is_malformed(image: str) -> None:
    assert reason(lambda: read_picture(image, OPEN)) == "malformed"


def test_size_is_told_before_base64_is_read() -> None:
    large = Source(most_bytes=len(PNG) - 1)
    assert reason(lambda: read_picture(data_uri(drawing()), large)) == "too_large"
    assert read_picture(data_uri(drawing()), Source(most_bytes=len(PNG))) == PNG
    not_base64 = "data:image/png;base64," + "?" * 4 * len(PNG)
    assert reason(lambda: read_picture(not_base64, large)) == "too_large"


@pytest.mark.parametrize("image", ["http://h/a.png", "file:///etc/passwd", "ftp://h/a", "s3://b/k"])
def test_other_schemes_are_refused_by_name(image: str) -> None:
    assert reason(lambda: read_picture(image, OPEN)) == "scheme"


def test_files_and_https_are_off_until_they_are_set() -> None:
    assert reason(lambda: read_picture("a/b/c.png", OPEN)) == "not_set"
    assert reason(lambda: read_picture("https://h/a.png", OPEN)) == "not_set"


def test_a_file_below_the_root_is_read(source: Source) -> None:
    assert read_picture("a/b/c.png", source) == PNG
    assert read_picture("./a//b/c.png", source) == PNG


@pytest.mark.parametrize(
    "image",
    ["../secret.png", "a/../../secret.png", "/etc/passwd", "..", "a/b/..", "a\\c", "a\0c", "//h/a"],
)
def test_a_path_that_could_lead_out_is_refused(source: Source, image: str) -> None:
    assert reason(lambda: read_picture(image, source)) == "outside"


def test_a_link_is_followed_within_the_root_and_nowhere_else(
    source: Source, tmp_path: Path
) -> None:
    root = source.root
    assert root is not None
    (root / "inside.png").symlink_to(root / "a" / "b" / "c.png")
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "up").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    assert read_picture("inside.png", source) == PNG
    assert reason(lambda: read_picture("out.png", source)) == "outside"
    assert reason(lambda: read_picture("up/secret.png", source)) == "outside"
    assert reason(lambda: read_picture("loop", source)) == "missing"


def test_a_root_that_is_a_link_itself_serves(source: Source, tmp_path: Path) -> None:
    assert source.root is not None
    (tmp_path / "link").symlink_to(source.root)
    assert read_picture("a/b/c.png", Source(tmp_path / "link")) == PNG


def test_what_is_no_file_is_missing_and_nobody_waits_for_it(source: Source) -> None:
    assert source.root is not None
    os.mkfifo(source.root / "pipe")
    for image in ("nobody.png", "a", "pipe", "a/b/c.png/d", "x" * 300):
        assert reason(partial(read_picture, image, source)) == "missing"


def test_a_large_file_is_not_read_whole(source: Source) -> None:
    assert source.root is not None
    (source.root / "large.png").write_bytes(PNG + bytes(source.most_bytes))
    assert reason(lambda: read_picture("large.png", source)) == "too_large"


def test_an_address_goes_to_who_fetches_with_the_most_bytes() -> None:
    asked: list[tuple[str, int]] = []

    def fetch(address: SplitResult, most_bytes: int) -> bytes:
        asked.append((address.geturl(), most_bytes))
        return PNG

    source = Source(fetch=fetch, most_bytes=7)
    assert read_picture("HTTPS://h/a.png", source) == PNG
    assert asked == [("https://h/a.png", 7)]
    for image in ("https://h:99999/a", "https://[::1/a", "https://h/a b", "https://hé/a"):
        assert reason(partial(read_picture, image, source)) == "malformed"
    assert len(asked) == 1


def test_what_an_entry_keeps_of_a_large_picture_says_that_it_is_gone() -> None:
    assert reason(lambda: read_picture("blake2b:00ff", OPEN)) == "gone"


@given(st.text() | st.from_regex(r"(data:image/png;base64,|\.\./|https?:)[\x00-\xff]{0,40}"))
def test_whatever_an_app_writes_has_a_reason_that_is_known(image: str) -> None:
    found = outcome(lambda: read_picture(image, Source(Path(__file__).parent)))
    assert found in PICTURE_REASONS or isinstance(found, bytes)
