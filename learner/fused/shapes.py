"""What the fused model is made of, by name and size: the one place that both its training in torch
and its ranking in NumPy go by.
"""

from __future__ import annotations

from learner.fused.histories import LENGTH

__all__ = ["GAPS", "HEADS", "KINDS", "LAYERS", "RATINGS", "WIDTH", "weight_shapes"]

WIDTH = 64
LAYERS = 1
HEADS = 2
GAPS = 32
RATINGS = 11
KINDS = 16


def weight_shapes(
    dimension: int, width: int = WIDTH, layers: int = LAYERS, heads: int = HEADS
) -> dict[str, tuple[int, ...]]:
    """All small weights in their order; dimension: of text and intent."""
    layer = {
        "distance": (heads, LENGTH),
        "before_attention.weight": (width,),
        "before_attention.bias": (width,),
        "before_feed.weight": (width,),
        "before_feed.bias": (width,),
        "qkv.weight": (3 * width, width),
        "joined.weight": (width, width),
        "feed.weight": (2 * width, width),
        "feed.bias": (2 * width,),
        "back.weight": (width, 2 * width),
        "back.bias": (width,),
    }
    return {
        "project": (dimension, width),
        "half_trust": (1,),
        "kind": (KINDS, width),
        "rating": (RATINGS, width),
        "gap": (GAPS, width),
        "default": (width,),
        "wish": (width, width),
        "wish_gate": (2,),
        "popular": (1,),
        **{
            f"layers.{number}.{name}": shape
            for number in range(layers)
            for name, shape in layer.items()
        },
        "last.weight": (width,),
        "last.bias": (width,),
    }
