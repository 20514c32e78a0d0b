"""From what an item says of its picture to bytes: a data URI, a file under one folder, or https
from named hosts. Everything but data URIs is off where it is not set.

It knows nothing about what the bytes show; `encoders.pictures.https` fetches.
"""

from __future__ import annotations

import os
import re
import stat
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, urlsplit

from encoders.pictures.refused import RefusedError

__all__ = ["Fetch", "Source", "describe_type", "read_picture"]

Fetch = Callable[[SplitResult, int], bytes]
"""An https address and the most bytes that are taken, to the bytes. Raises `RefusedError`."""

_DATA = re.compile(r"data:(?P<type>[\w.+-]*/[\w.+-]*)?(?P<more>;[^,]*|),", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SIGNS = (
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
)
_KNOWN = "png, jpeg, webp or gif"


@dataclass(frozen=True, slots=True)
class Source:
    """Where pictures may come from. root: of files, None for none. fetch: of https addresses, None
    for none. most_bytes: of one picture.
    """

    root: Path | None = None
    fetch: Fetch | None = None
    most_bytes: int = 5_000_000


def read_picture(image: str, source: Source) -> bytes:
    """The bytes that `image` (of an item) stands for, by their signs a png, jpeg, webp or gif.
    Blocks. Raises `RefusedError`.
    """
    raw, declared = _read(image, source)
    found = describe_type(raw)
    if found is None:
        raise RefusedError("type", f"it is no {_KNOWN}")
    if declared is not None and declared != found:
        raise RefusedError("type", f"it says that it is {declared}, and is {found}")
    return raw


def describe_type(raw: bytes) -> str | None:
    """By the first bytes; None for what Upwell does not read."""
    return next((name for name, sign in _SIGNS if sign.match(raw)), None)


def _read(image: str, source: Source) -> tuple[bytes, str | None]:
    """The bytes, and the type that they are said to have."""
    scheme = _SCHEME.match(image)
    if scheme is None:
        return _of_file(image, source), None
    match scheme[1].lower():
        case "data":
            return _of_data(image, source.most_bytes)
        case "https":
            return _of_address(image, source), None
        case "blake2b":
            raise RefusedError("gone", "the picture itself is not kept: announce it again")
        case other:
            raise RefusedError(
                "scheme", f"{other[:20]}: is not read: a data URI, a file or https is"
            )


def _of_data(image: str, most_bytes: int) -> tuple[bytes, str]:
    head = _DATA.match(image)
    if head is None or head["type"] is None:
        raise RefusedError("malformed", "no data:image/TYPE;base64,… as RFC 2397 has it")
    declared = head["type"].lower().replace("image/jpg", "image/jpeg")
    if not head["more"].lower().endswith(";base64"):
        raise RefusedError("malformed", "a data URI without ;base64")
    body = image[head.end() :]
    if len(body) // 4 * 3 > most_bytes + 2:
        raise _too_large(most_bytes)
    try:
        raw = b64decode(body, validate=True)
    except ValueError:  # binascii's own is one
        raise RefusedError("malformed", "a data URI whose base64 is not right") from None
    if len(raw) > most_bytes:
        raise _too_large(most_bytes)
    return raw, declared


def _of_address(image: str, source: Source) -> bytes:
    if source.fetch is None:
        raise RefusedError("not_set", "https is off: UPWELL_IMAGE_HOSTS names no host")
    try:
        address = urlsplit(image)
        address.port  # noqa: B018 (raises where it is no number)
    except ValueError:
        raise RefusedError("malformed", "no https address") from None
    if any(unfit <= " " or unfit >= "\x7f" for unfit in image):
        raise RefusedError("malformed", "an address with white space or beyond ASCII")
    return source.fetch(address, source.most_bytes)


def _of_file(image: str, source: Source) -> bytes:
    if source.root is None:
        raise RefusedError("not_set", "files are off: UPWELL_IMAGES names no folder")
    parts = PurePosixPath(image).parts
    if not parts or "\0" in image or "\\" in image or image.startswith("/") or ".." in parts:
        raise RefusedError("outside", "the path is not one below the folder of UPWELL_IMAGES")
    try:
        root = source.root.resolve(strict=True)
        inside = root.joinpath(*parts).resolve(strict=True).relative_to(root)
        handle = _opened(root, inside.parts)
    except ValueError:
        raise RefusedError("outside", "the path leads out of the folder of UPWELL_IMAGES") from None
    except (OSError, RuntimeError) as exc:  # RuntimeError: a loop of links
        why = exc.strerror if isinstance(exc, OSError) else "a loop of links"
        raise RefusedError("missing", f"the file cannot be read: {why}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RefusedError("missing", "the path leads to no file")
    with os.fdopen(handle, "rb") as file:
        raw = file.read(source.most_bytes + 1)
    if len(raw) > source.most_bytes:
        raise _too_large(source.most_bytes)
    return raw


def _opened(root: Path, parts: tuple[str, ...]) -> int:
    """A handle of the file, folder by folder and through no link: what was looked at is what is
    opened, whoever renames meanwhile. Raises `OSError`.
    """
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for place, part in enumerate(parts or (".",)):
        last = place >= len(parts) - 1
        flags = os.O_NONBLOCK if last else os.O_DIRECTORY  # a pipe would wait for its writer
        try:
            further = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | flags, dir_fd=handle)
        finally:
            os.close(handle)
        handle = further
    return handle


def _too_large(most_bytes: int) -> RefusedError:
    return RefusedError(
        "too_large", f"it has more than the {most_bytes:,} bytes that UPWELL_IMAGE_BYTES allows"
    )
