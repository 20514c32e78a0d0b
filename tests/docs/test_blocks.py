"""No block of README and docs escapes: its kind is known, and it is run, held elsewhere, or excused
by name.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from stream.chain.policy import load_policy
from stream.replay.importers.mapping import read_mapping
from tests.docs.blocks import ALL, ELSEWHERE, LANGUAGES, NOT_RUN, PROGRAMS, Block, blocks_of
from tests.docs.commands import DOCUMENTS, IDS, ROOT
from upwell.reasons import Sentences
from upwell.recommendations import Entry, Reason

TYPED = re.compile(
    r"^(?:\$ |upwell |make |curl |pip |python |kubectl |export |uv |git )", re.MULTILINE
)
TESTS = re.compile(r"tests/[\w/.]*\w")


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_each_block_is_of_a_known_kind(path: Path) -> None:
    text = path.read_text()
    assert {block.language for block in blocks_of(path)} <= LANGUAGES
    fences = re.findall(r"^ *```", text, re.MULTILINE)
    assert len(fences) == 2 * sum(block.page == str(path.relative_to(ROOT)) for block in ALL)


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_no_code_hides_in_an_indent(path: Path) -> None:
    """Four spaces behind an empty line are code to a reader, and nobody's to a test; in a list they
    go on with its entry.
    """
    assert list(indented(path.read_text())) == []


def indented(text: str) -> list[str]:
    """First lines of code without a fence."""
    found, before, inside, listed = [], "", False, False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside and line and not line.startswith(" "):
            listed = bool(re.match(r"(?:[-*]|\d+\.) ", line)) or (listed and before != "")
        if line.startswith("    ") and not (inside or listed or before or "```" in line):
            found.append(line)
        before = line
    return found


def test_what_is_typed_is_no_output() -> None:
    hidden = [block for block in ALL if block.language == "text" and TYPED.search(block.body)]
    assert hidden == []


def test_what_is_not_run_is_named_once_and_only_where_it_is() -> None:
    uses = {
        (page, beginning): sum(
            block.page == page and block.body.startswith(beginning) for block in ALL
        )
        for page, beginnings in NOT_RUN.items()
        for beginning in beginnings
    }
    assert {key: count for key, count in uses.items() if count != 1} == {}
    excused = {block.language for block in ALL if block.excused()}
    assert excused <= {*PROGRAMS, "console"}


def test_what_others_run_is_there() -> None:
    kinds = {(block.page, block.language) for block in ALL}
    assert set(ELSEWHERE) <= kinds
    reasons = [one for page in NOT_RUN.values() for one in page.values()]
    named = {one for reason in (*reasons, *ELSEWHERE.values()) for one in TESTS.findall(reason)}
    assert len(named) > 10
    assert sorted(one for one in named if not (ROOT / one).exists()) == []


def test_everything_but_output_is_claimed() -> None:
    """Programs are run by test_programs.py unless they are claimed here."""
    assert [
        block
        for block in ALL
        if block.language not in {*PROGRAMS, "text", "json"}
        and (block.page, block.language) not in ELSEWHERE
        and not block.excused()
    ] == []


def test_a_block_of_an_unknown_kind_is_found(tmp_path: Path) -> None:
    assert indented("Text.\n\n    upwell run\n") == ["    upwell run"]
    assert indented("1. Text.\n\n    ```bash\n    upwell run\n    ```\n\n    More.\n") == []
    assert indented("- An entry.\n\nText.\n\n    upwell run\n") == ["    upwell run"]
    assert TYPED.search("│ 1 │\nupwell run\n")


@pytest.mark.parametrize("block", [one for one in ALL if one.language == "json"], ids=str)
def test_json_is_json(block: Block) -> None:
    assert json.loads(block.body)


def of(page: str) -> str:
    [block] = [one for one in ALL if (one.page, one.language) == (page, "toml")]
    assert tomllib.loads(block.body)
    return block.body


def test_the_mapping_of_the_page_reads_a_file(tmp_path: Path) -> None:
    mapping, orders = tmp_path / "shop.toml", tmp_path / "orders-1.csv"
    mapping.write_text(of("docs/import.md"))
    orders.write_text("customer;sku;ordered_at\nann;p1;2025-05-03 10:02\n")
    drafts, used = read_mapping(mapping, [orders], Counter())
    assert len(list(drafts)) == 1
    assert used == {orders}


def test_the_policy_of_the_page_finds_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(of("docs/policy.md"))
    (tmp_path / "abuse-de.txt").write_text("# a term a line\nDepp\n")
    policy = load_policy(tmp_path / "policy.toml")
    for said in re.findall(r"`(d[^`]*n!?)`", (ROOT / "docs/policy.md").read_text()):
        assert policy.masked(said) == "", said
    assert policy.masked("du Depp") == "du"
    assert policy.masked("darn good, Scunthorpe") == "darn good, Scunthorpe"


def test_the_sentences_of_the_page_are_said(tmp_path: Path) -> None:
    own = tmp_path / "reasons.toml"
    own.write_text(of("docs/reasons.md"))
    entry = Entry(
        item_id="i", title="T", score=1.0, reasons=(Reason(signal="covisitation", weight=1.0),)
    )
    assert Sentences("en", own).of(entry) == ("Readers like you liked it.",)
