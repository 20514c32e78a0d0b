"""A text that must not be seen: passwords and keys. It knows nothing about settings."""

from __future__ import annotations

__all__ = ["Secret"]

MASK = "***"


class Secret:
    """Shows `***` wherever it is printed, logged or put in a traceback; only `reveal` gives the
    text.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one call that needs it; in the repr of what holds it (a client's
        options) it stays masked.
        """
        return _Revealed(self._text)

    def __repr__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not written anywhere: hand it over by the environment")


class _Revealed(str):
    """A text in every way but its repr: clients log their options, and tracebacks show arguments,
    by repr.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK
