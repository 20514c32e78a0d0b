"""Links of README, docs and what stands beside them lead somewhere, to a heading too; so do the
pages that the code names to a person.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.docs.commands import DOCUMENTS, IDS, ROOT

PAGES = (*DOCUMENTS, ROOT / "CHANGELOG.md")
_CODE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_TARGET = re.compile(
    r'\]\(([^()\s]+)\)|(?:src|srcset|href)="([^"]+)"|^\[[\w-]+\]: (\S+)$', re.MULTILINE
)
_NAMED = re.compile(r"\bdocs/[\w/-]+\.md(?:#[\w-]+)?|\bdocs/decisions/\d{4}\b")


def targets(text: str) -> list[str]:
    return ["".join(found) for found in _TARGET.findall(_CODE.sub("", text))]


@cache
def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub and the site make them."""
    text = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def leads_nowhere(page: Path, target: str) -> bool:
    if target.startswith("https://"):
        return False
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    if not file.is_relative_to(ROOT) or not file.is_file():
        return True
    return bool(anchor) and (file.suffix != ".md" or anchor not in anchors(file))


@pytest.mark.parametrize("page", PAGES, ids=[*IDS, "CHANGELOG.md"])
def test_links_lead_somewhere(page: Path) -> None:
    assert [one for one in targets(page.read_text()) if leads_nowhere(page, one)] == []


def test_most_pages_have_links() -> None:
    assert sum(bool(targets(page.read_text())) for page in PAGES) > 20


@pytest.mark.parametrize(
    ("target", "nowhere"),
    [
        ("docs/events.md", False),
        ("docs/events.md#what-is-refused", False),
        ("docs/events.md#what-is-taken", True),
        ("docs/nothing.md", True),
        ("docs/page.png", False),
        ("/etc/passwd", True),
        ("http://example.org", True),
    ],
)
def test_what_leads_nowhere_is_noticed(target: str, nowhere: bool) -> None:
    assert leads_nowhere(ROOT / "README.md", target) is nowhere


def test_pages_that_the_code_names_are_there() -> None:
    listed = ["git", "ls-files", "*.py", "*.yml", "*.yaml", "*.toml", "Makefile", "infra/*"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = {
        (name, place)
        for name in files.splitlines()
        if not name.startswith("tests/docs/") and (ROOT / name).is_file()
        for place in _NAMED.findall((ROOT / name).read_text(errors="ignore"))
    }
    assert len(named) > 50
    assert sorted(one for one in named if not there(one[1])) == []


def there(place: str) -> bool:
    if not place.endswith(".md") and "#" not in place:
        return len(list(ROOT.glob(place + "-*.md"))) == 1
    return not leads_nowhere(ROOT / "README.md", place)
