"""Labelled texts as they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.chain.policy.examples import read_examples
from stream.chain.policy.training import Example
from upwell.errors import LogError

CSV = 'text,label\n"a, b",abuse\nfine,0\nplain,harmless\n'
LINES = (
    '{"text":"a, b","label":"abuse"}\n\n{"text":"fine","label":0}\n{"text":"plain","label":"no"}\n'
)


@pytest.mark.parametrize(("name", "data"), [("x.csv", CSV), ("x.jsonl", LINES)])
def test_both_formats_say_the_same(tmp_path: Path, name: str, data: str) -> None:
    (tmp_path / name).write_text(data, "utf-8")
    found, harm = read_examples(tmp_path / name)
    assert found == [Example("a, b", True), Example("fine", False), Example("plain", False)]
    assert harm == "abuse"


def test_a_label_without_a_name_is_harmful(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("label,text\n1,a\nTrue,b\nfalse,c\n", "utf-8")
    found, harm = read_examples(path)
    assert ([one.harmful for one in found], harm) == ([True, True, False], "harmful")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.csv", "text\na\n", "line 2: it is to have a `text` and a `label`"),
        ("x.csv", "text,label\na,\n", "line 2"),
        ("x.csv", "text,label\na,spam\nb,abuse\n", "several harms, abuse, spam"),
        ("x.jsonl", '{"text": 3, "label": 1}\n', "line 1: it is to have"),
        ("x.jsonl", '{"text": "a", "label": 1}\n{\n', "line 2: no JSON"),
        ("x.jsonl", "[]\n", "line 1: no JSON object"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(
    tmp_path: Path, name: str, data: str, said: str
) -> None:
    (tmp_path / name).write_text(data, "utf-8")
    with pytest.raises(LogError) as refused:
        read_examples(tmp_path / name)
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"none\.csv cannot be read"):
        read_examples(tmp_path / "none.csv")
