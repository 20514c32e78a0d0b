"""Which model answers: that of the settings, one that came into force, and no other."""

from __future__ import annotations

import pytest

from stream.broker.encoders import Lineage, Named, Said, Word
from stream.encode.models import MOST_MODELS, Models
from tests.stream.serve.encoders.test_switch import Fake, named
from upwell.errors import EncoderError, SettingsError

A, B, C, D = (named(one) for one in "abcd")


def said(word: Word, encoder: Named, before: Named) -> Said:
    return Said(word=word, encoder=encoder, before=before, by="operator", at=1)


class Loads:
    """Every model by its name, and those that were loaded."""

    def __init__(self, *said: Said) -> None:
        self.lineage = Lineage.of(said)
        self.made: list[Fake] = []

    def load(self, model: str) -> Fake:
        self.made.append(Fake(f"{model}/x"))
        return self.made[-1]

    def models(self) -> Models:
        return Models(A, self.load, lambda: self.lineage)

    @property
    def open(self) -> list[str]:
        return [one.name for one in self.made if not one.closed]


def test_the_settings_model_is_loaded_once() -> None:
    loads = Loads()
    models = loads.models()
    assert models.newest is None
    first = models.begin()
    assert models.of(A.vectors) is first is models.newest
    assert loads.open == ["a/x"]
    models.close()
    assert loads.open == []


def test_it_begins_with_the_one_in_force_and_answers_for_the_one_before() -> None:
    loads = Loads(said(Word.PROMOTED, B, A))
    models = loads.models()
    assert models.begin().revision == Fake("b/x").revision
    assert models.of(A.vectors).revision == Fake("a/x").revision
    assert loads.open == ["b/x", "a/x"]


def test_one_that_comes_into_force_is_loaded_when_it_is_asked_for() -> None:
    loads = Loads()
    models = loads.models()
    models.begin()
    loads.lineage = loads.lineage.after(said(Word.PROMOTED, B, A))
    assert models.of(B.vectors) is models.newest
    loads.lineage = loads.lineage.after(said(Word.PROMOTED, C, B))
    models.of(C.vectors)
    assert len(loads.open) == MOST_MODELS, "the one that was asked for longest ago is gone"
    assert loads.open == ["b/x", "c/x"]
    models.of(A.vectors)
    assert loads.open == ["c/x", "a/x"]


@pytest.mark.parametrize(
    "lineage", [(), (said(Word.TRIED, D, A),), (said(Word.PROMOTED, B, A),)], ids=str
)
def test_any_other_is_refused_by_name(lineage: tuple[Said, ...]) -> None:
    loads = Loads(*lineage)
    with pytest.raises(
        SettingsError, match=f"asks for vectors of {D.vectors}, .* is a .{A.vectors}"
    ):
        loads.models().of(D.vectors)
    assert loads.made == []


def test_other_files_under_its_name_are_refused() -> None:
    loads = Loads(said(Word.PROMOTED, Named(B.vectors, "c"), A))
    with pytest.raises(EncoderError, match="c is c/x/mean here, and b/x/mean where"):
        loads.models().begin()
    assert loads.open == []
