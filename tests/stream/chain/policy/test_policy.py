"""A policy blocks items and masks words, as its file says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stream.chain.policy import Policy, load_policy
from upwell.errors import SettingsError
from upwell.values import CatalogueItem

FILE = """
allow_items = ["seen"]

[lists.abuse]
words = ["darn"]
files = ["more.txt"]
allow = ["darn good"]

[lists.horror]
categories = ["Horror"]
texts = "keep"

[lists.noted]
words = ["secret"]
items = "keep"
texts = "keep"
"""


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    (tmp_path / "more.txt").write_text("# others\n\nshoot\n  big fool \n", "utf-8")
    (tmp_path / "policy.toml").write_text(FILE, "utf-8")
    return load_policy(tmp_path / "policy.toml")


def item(title: str, item_id: str = "i", **fields: object) -> CatalogueItem:
    vector = np.zeros(2, np.float32)
    value = {"item_id": item_id, "ts": 1, "title": title, "vector": vector, "revision": "r"}
    return CatalogueItem(**(value | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("judged", "blocked"),
    [
        (item("A darn thing"), "abuse"),
        (item("Plain", text="you big f00l"), "abuse"),
        (item("Plain", brand="Shoot"), "abuse"),
        (item("Plain", categories=("Drama", "Darn")), "abuse"),
        (item("Plain", categories=("Drama", "Horror")), "horror"),
        (item("A darn good thing"), ""),
        (item("A darn thing", item_id="seen"), ""),
        (item("A secret"), ""),
        (item("Big. Fool", text="x"), "abuse"),
    ],
)
def test_items_are_blocked_by_what_they_say(
    policy: Policy, judged: CatalogueItem, blocked: str
) -> None:
    found = policy.judged(judged)
    assert found.blocked == blocked
    assert found.available == (not blocked)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a darn fine film", "a fine film"),
        ("darn!", ""),
        ("d a r n  and Sh00t", "and"),
        ("a darn good film", "a darn good film"),
        ("a  secret  film", "a  secret  film"),
        ("Horror", "Horror"),
        ("darn darn darn", ""),
        ("d a r n d a r n", ""),
    ],
)
def test_what_users_write_is_read_without_it(policy: Policy, text: str, left: str) -> None:
    assert policy.masked(text) == left


def test_hits_are_told_by_list_and_term(policy: Policy) -> None:
    found = policy.hits("darn, a secret; DARN")
    assert [(name, hit.term) for name, hit in found] == [
        ("abuse", "darn"),
        ("abuse", "darn"),
        ("noted", "secret"),
    ]


def test_without_a_file_nothing_is_harmful() -> None:
    policy = load_policy(None)
    assert not policy
    assert policy.masked("darn") == "darn"
    assert policy.judged(item("darn")).available


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[lists.x]\n", "lists.x: it has neither words"),
        ("[lists.x]\nwords = ['?']\n", "lists.x: '?' has no letter"),
        ("[lists.x]\nwords = 'darn'\n", "lists.x.words: it is to be a list of texts"),
        ("[lists.x]\nwords = [1]\n", "lists.x.words: it is to be a list of texts"),
        ("[lists.x]\nwords = ['a']\nitems = 'hide'\n", "lists.x.items: it is 'hide'"),
        ("[lists.x]\nwords = ['a']\nitem = 'block'\n", "lists.x.item: no such key"),
        ("[lists]\nx = 3\n", "lists.x: it is to be a table"),
        ("list = 3\n", "list: a policy has the tables"),
        ("lists = 3\n", "lists: a policy has the tables"),
        ("[segments.s]\nhide = ['x']\n", "segments.s.hide: there is no list 'x'"),
        ("[segments.s]\nhide = 'x'\n", "segments.s.hide: it is to be a list of texts"),
        ("[segments.s]\nblock = []\n", "segments.s: it is to be a table with one key, hide"),
        ("[segments]\ns = 3\n", "segments.s: it is to be a table with one key, hide"),
        ("segments = 3\n", "segments: a policy has the tables"),
        ("[surfaces.s]\nhide = ['x']\n", "surfaces.s.hide: there is no list 'x'"),
        ("[surfaces.s]\nblock = []\n", "surfaces.s: it is to be a table with one key, hide"),
        ("surfaces = 3\n", "surfaces: a policy has the tables"),
        ("allow_items = 'i1'\n", "allow_items: it is to be a list"),
        ("[lists.x]\nfiles = ['none.txt']\n", "none.txt cannot be read"),
        ("[lists", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_by_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match="UPWELL_POLICY") as refused:
        load_policy(path)
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"policy\.toml cannot be read"):
        load_policy(tmp_path / "policy.toml")
