"""An item's picture on its way: what the item says of it, what it is looked at for, what became of
it. Pure; the port `Pictures` looks.
"""

from stream.chain.pictures.look import (
    Missed,
    has_picture,
    looked,
    missed_lines,
    seen_otherwise,
    shortened,
)

__all__ = ["Missed", "has_picture", "looked", "missed_lines", "seen_otherwise", "shortened"]
