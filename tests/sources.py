"""Watermarks of a real broker against those of the inline engine, which knows no topic ids."""

from __future__ import annotations

from collections.abc import Mapping

from stream.chain.sources import Source

__all__ = ["by_partition"]


def by_partition(watermark: Mapping[str, int]) -> dict[str, int]:
    """Without the incarnations of the topics, of which there must be one each."""
    parsed = {Source.parse(source): offset for source, offset in watermark.items()}
    named = {f"{source.topic}-{source.partition}": offset for source, offset in parsed.items()}
    assert len(named) == len(watermark), f"more than one incarnation of a topic: {watermark}"
    return named
