"""How many words of texts a model's tokenizer does not know: to the model they are all the same
token, so that texts made of them get equal vectors.

It has a tokenizer of its own, so that it may be asked while another thread encodes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from encoders.folder import find_model

__all__ = ["KNOWN_ENOUGH", "Tokens", "UnknownTokens", "WatchedTitles"]

KNOWN_ENOUGH = 0.05
"""Unknown tokens of all, above which a catalogue needs another encoder."""
CHARACTERS = 1_000  # of a text, the first so many
LEAST_TOKENS = 10  # before anything is said of a share
ALL = 5_000  # titles; of those after them every twentieth, since 10,000 cost a second
ONE_IN = 20

log = logging.getLogger("upwell.encoder")


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
        self._tokenizer = _tokenizer(find_model(model))
        if self._tokenizer is None:
            log.info(
                "the tokenizer of %s runs in Python alone: unknown words are not counted", model
            )
            return
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._unknown = _unknown_id(json.loads(self._tokenizer.to_str())["model"])

    def count(self, texts: Sequence[str]) -> Tokens:
        """Of all texts together; without the tokens that the model puts around each."""
        if self._tokenizer is None:
            return Tokens()
        clean = [text[:CHARACTERS].encode("utf-8", "replace").decode() for text in texts]
        found = [one.ids for one in self._tokenizer.encode_batch(clean, add_special_tokens=False)]
        return Tokens(sum(map(len, found)), sum(one.count(self._unknown) for one in found))


def _tokenizer(folder: Path) -> Tokenizer | None:
    """By the file that is read without torch; where there is none, as `transformers` makes it,
    which loads torch. None where it is one of Python's own.
    """
    file = folder / "tokenizer.json"
    if file.exists():
        return Tokenizer.from_file(str(file))
    from transformers import AutoTokenizer

    made = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    return getattr(made, "backend_tokenizer", None)


def _unknown_id(model: Mapping[str, Any]) -> int:
    """Of a tokenizer's model, as its file has it; -1 where every text is made of known tokens."""
    if model.get("unk_id") is not None:
        return int(model["unk_id"])
    return int(model["vocab"][model["unk_token"]]) if model.get("unk_token") else -1


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
