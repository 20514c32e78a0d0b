"""How many words of texts a model's tokenizer does not know: to the model they are all the same
token, so that texts made of them get equal vectors.

It has a tokenizer of its own, so that it may be asked while another thread encodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from encoders.folder import find_model

__all__ = ["KNOWN_ENOUGH", "Tokens", "UnknownTokens", "WatchedTitles"]

KNOWN_ENOUGH = 0.05
"""Unknown tokens of all, above which a catalogue needs another encoder."""
CHARACTERS = 1_000  # of a text, the first so many
LEAST_TOKENS = 10  # before anything is said of a share
ALL = 5_000  # titles; of those after them every twentieth, since 10,000 cost a second
ONE_IN = 20


@dataclass(frozen=True, slots=True)
class Tokens:
    """Counted of texts. unknown: of `total` tokens those that the tokenizer does not know."""

    total: int = 0
    unknown: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.total + other.total, self.unknown + other.unknown)

    @property
    def share(self) -> float:
        """0 where there are none."""
        return self.unknown / self.total if self.total else 0.0

    @property
    def advice(self) -> str | None:
        """What to do about it; None where enough is known."""
        if self.share <= KNOWN_ENOUGH:
            return None
        return (
            f"the encoder does not know {self.share:.0%} of the words in the catalogue's titles, "
            "and takes them all for the same: set UPWELL_ENCODER to a multilingual model, such as "
            "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2, and start afresh with "
            "another UPWELL_PREFIX and UPWELL_DATA"
        )


class UnknownTokens:
    """model: a name or a folder, as for `load_encoder`. Raises `EncoderError` where it is
    missing.
    """

    def __init__(self, model: str) -> None:
        from transformers import AutoTokenizer

        folder = find_model(model)
        self._tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)

    def count(self, texts: Sequence[str]) -> Tokens:
        """Of all texts together; without the tokens that the model puts around each."""
        if not texts:
            return Tokens()
        clean = [text[:CHARACTERS].encode("utf-8", "replace").decode() for text in texts]
        found = self._tokenizer(clean, add_special_tokens=False)["input_ids"]
        unknown = self._tokenizer.unk_token_id
        return Tokens(sum(map(len, found)), sum(one.count(unknown) for one in found))


class WatchedTitles:
    """A catalogue's titles as they are announced. `seen`: of those that were counted."""

    def __init__(self, tokens: UnknownTokens) -> None:
        self._tokens = tokens
        self._titles = 0
        self._told = False
        self.seen = Tokens()

    def add(self, titles: Sequence[str]) -> str | None:
        """What to warn of, the first time that there is anything; else None."""
        taken = titles if self._titles < ALL else titles[self._titles % ONE_IN :: ONE_IN]
        self._titles += len(titles)
        self.seen += self._tokens.count(taken)
        if self._told or self.seen.total < LEAST_TOKENS:
            return None
        advice = self.seen.advice
        self._told = advice is not None
        return advice
