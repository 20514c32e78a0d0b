"""From a picture's bytes to its pixels: what is no picture, or would fill the memory, is refused
before its pixels are made. It knows no model.
"""

from __future__ import annotations

import struct
from io import BytesIO

from PIL import Image, ImageOps

from encoders.pictures.refused import RefusedError

__all__ = ["LONGEST", "decoded"]

LONGEST = 50
"""The longer side in shorter ones: models scale the shorter side, so a line of pixels would
grow.
"""
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_FAULTS = (
    OSError,
    SyntaxError,  # Pillow's for a broken PNG
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    ArithmeticError,
    MemoryError,
    struct.error,
)


def decoded(raw: bytes, most_pixels: int) -> Image.Image:
    """(height, width) in RGB: the first frame, as its EXIF turns it, on white where it is
    transparent. Raises `RefusedError`.
    """
    try:
        with Image.open(BytesIO(raw), formats=_FORMATS) as found:
            _check_size(*found.size, most_pixels)
            return _on_white(ImageOps.exif_transpose(found))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many(most_pixels) from None
    except _FAULTS as exc:
        raise RefusedError("broken", f"it cannot be decoded ({type(exc).__name__})") from None


def _check_size(width: int, height: int, most_pixels: int) -> None:
    if width * height > most_pixels:
        raise _too_many(most_pixels)
    if max(width, height) > LONGEST * max(1, min(width, height)):
        raise RefusedError("pixels", f"one side is more than {LONGEST} times as long as the other")


def _too_many(most_pixels: int) -> RefusedError:
    return RefusedError(
        "pixels", f"it has more than the {most_pixels:,} pixels that UPWELL_IMAGE_PIXELS allows"
    )


def _on_white(image: Image.Image) -> Image.Image:
    if "transparency" not in image.info and "A" not in image.getbands():
        return image.convert("RGB")
    clear = image.convert("RGBA")
    ground = Image.new("RGBA", clear.size, (255, 255, 255, 255))
    ground.alpha_composite(clear)
    return ground.convert("RGB")
