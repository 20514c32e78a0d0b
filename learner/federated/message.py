"""Messages between a federation's server and its clients: JSON and arrays, as one safetensors
container. No pickle: bytes come from whoever can reach the port.

It knows nothing about what a message says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from upwell.errors import ModelError

__all__ = ["MOST_BYTES", "decode", "encode"]

FORMAT = "upwell-federation-1"
MOST_BYTES = 512 << 20
_LENGTH_BYTES = 8


def encode(head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]] | None = None) -> bytes:
    """Of JSON-ready words and of arrays."""
    contiguous = {name: np.ascontiguousarray(one) for name, one in (arrays or {}).items()}
    return safetensors.numpy.save(
        contiguous, metadata={"format": FORMAT, "head": json.dumps(dict(head))}
    )


def decode(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The inverse. Raises `ModelError` where the bytes are torn, too many or of another format."""
    if len(data) > MOST_BYTES:
        raise ModelError(f"a message of {len(data):,} bytes: at most {MOST_BYTES:,} are read")
    try:
        length = int.from_bytes(data[:_LENGTH_BYTES], "little")
        metadata = json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + length])["__metadata__"]
        if metadata["format"] != FORMAT:
            raise ModelError(
                f"a message has format {metadata['format']!r}, expected {FORMAT!r}: run one "
                "version of upwell on the server and on all clients"
            )
        head = json.loads(metadata["head"])
        if not isinstance(head, dict):
            raise TypeError(f"its head is {head!r}")
        return head, safetensors.numpy.load(data)
    except (KeyError, ValueError, TypeError, RecursionError, safetensors.SafetensorError) as exc:
        raise ModelError(f"a message of {len(data):,} bytes cannot be read ({exc})") from exc
