"""A model delta: what a replica needs to rank like the learner again, and its bytes for the
`models` topic.

It names items by id, since rows are private to a process. One that is large travels in parts
(`learner.release.parts`). It knows nothing about how its arrays are used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from upwell.errors import ModelError

__all__ = ["ModelDelta", "decode", "encode"]

_LENGTH_BYTES = 8
_FORMAT = "upwell-delta-3"
_WITHOUT_PARTS = "upwell-delta-2"  # each in one record, never whole


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDelta:
    """The examples counted since the last delta, and the parameters that took over since.

    version: of the model after this delta, with all its parts. learned: examples since the
    beginning. since, watermark: source → last offset learned before and after. sources, items: what
    the integer codes in `examples.*` stand for. row_items: by the name of an array of rows, the
    items that they are. arrays: `examples.*` (compact columns of the counted examples), `gate.*`
    and `fused.*` (parameters). forgotten: items of which nothing is known any more once the
    examples are counted. whole: the parameters are all there are, and replace what a replica has.
    part, parts: the number of this one, from 0, of so many; examples count part by part,
    parameters take effect with the last.
    """

    version: str
    learned: int
    since: Mapping[str, int]
    watermark: Mapping[str, int]
    sources: tuple[str, ...]
    items: tuple[str, ...]
    row_items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]]
    forgotten: tuple[str, ...] = ()
    whole: bool = False
    part: int = 0
    parts: int = 1


def encode(delta: ModelDelta) -> bytes:
    """A delta as a safetensors container whose metadata holds the rest as JSON."""
    head = {
        "version": delta.version,
        "learned": delta.learned,
        "since": dict(delta.since),
        "watermark": dict(delta.watermark),
        "sources": list(delta.sources),
        "items": list(delta.items),
        "row_items": {name: list(items) for name, items in delta.row_items.items()},
        "forgotten": list(delta.forgotten),
        "whole": delta.whole,
        "part": delta.part,
        "parts": delta.parts,
    }
    arrays = {name: np.ascontiguousarray(array) for name, array in delta.arrays.items()}
    return safetensors.numpy.save(arrays, metadata={"format": _FORMAT, "delta": json.dumps(head)})


def decode(data: bytes) -> ModelDelta:
    """The delta of these bytes. Raises `ModelError` where they are torn or of another format."""
    try:
        length = int.from_bytes(data[:_LENGTH_BYTES], "little")
        metadata = json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + length])["__metadata__"]
        if metadata["format"] not in (_FORMAT, _WITHOUT_PARTS):
            raise ModelError(
                f"a model delta has format {metadata['format']!r}, expected {_FORMAT!r}: "
                "run one version of upwell everywhere"
            )
        head = json.loads(metadata["delta"])
        return ModelDelta(
            version=head["version"],
            learned=head["learned"],
            since=head["since"],
            watermark=head["watermark"],
            sources=tuple(head["sources"]),
            items=tuple(head["items"]),
            row_items={name: tuple(items) for name, items in head["row_items"].items()},
            arrays=safetensors.numpy.load(data),
            forgotten=tuple(head.get("forgotten", ())),
            whole=head.get("whole", False),
            part=head.get("part", 0),
            parts=head.get("parts", 1),
        )
    except (KeyError, ValueError, TypeError, safetensors.SafetensorError) as error:
        raise ModelError(
            f"a model delta of {len(data)} bytes cannot be read ({error}): restart from the "
            "newest checkpoint"
        ) from error
