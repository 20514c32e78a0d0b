"""The site builds without a warning, has every page, and fetches nothing from elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.hooks import BESIDE, beside, decisions, from_docs, linked
from tests.docs.commands import DOCUMENTS, ROOT

_FETCHED = re.compile(
    r'<(?:script|img|iframe|source)\b[^>]*\bsrc(?:set)?="([^"]+)"|<link\b([^>]*)>'
)
_STYLE = re.compile(r"url\(\s*[\"']?(https?:|//)|@import\s+[\"'](https?:|//)")


def build(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """As `make docs` does it, of the copy in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def copied(folder: Path) -> Path:
    for name in ("mkdocs.yml", *BESIDE):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    done = build(ROOT, target)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_every_page_is_there(site: Path) -> None:
    pages = {path.relative_to(ROOT).as_posix() for path in DOCUMENTS}
    expected = {BESIDE.get(page, page).removeprefix("docs/") for page in pages}
    missing = [page for page in expected if not (site / page).with_suffix(".html").is_file()]
    assert missing == []
    assert (site / "decisions" / "index.html").is_file()
    assert (site / "schemas" / "asyncapi.json").is_file()
    assert not (site / "hooks.py").exists()


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    fetched = [
        (page.name, source or re.findall(r'href="([^"]+)"', link)[0])
        for page in pages
        for source, link in _FETCHED.findall(page.read_text())
        if source or 'rel="canonical"' not in link
    ]
    assert len(fetched) > len(pages)
    assert [one for one in fetched if re.match(r"(?:https?:)?//", one[1])] == []
    assert [one.name for one in site.rglob("*.css") if _STYLE.search(one.read_text())] == []


@pytest.mark.parametrize(
    "wrong",
    ["[x](nothing.md)", "[x](events.md#what-is-taken)", "[x](../upwell/client.py)"],
)
def test_a_link_that_leads_nowhere_ends_the_build(tmp_path: Path, wrong: str) -> None:
    folder = copied(tmp_path)
    with (folder / "docs" / "topics.md").open("a") as page:
        page.write(f"\n{wrong}\n")
    done = build(folder, tmp_path / "site")
    assert done.returncode != 0
    assert "topics.md" in done.stderr


def test_a_page_that_nobody_finds_ends_the_build(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "docs" / "lost.md").write_text("# Lost\n")
    done = build(folder, tmp_path / "site")
    assert done.returncode != 0
    assert "lost.md" in done.stderr


def test_links_are_as_they_are_from_the_site() -> None:
    assert (
        from_docs("[a](docs/events.md#x) [b](SECURITY.md)") == "[a](events.md#x) [b](SECURITY.md)"
    )
    assert from_docs('<img src="docs/page.png">') == '<img src="page.png">'
    assert beside("[a](../CHANGELOG.md) [b](SECURITY.md) [c](events.md)") == (
        "[a](changelog.md) [b](reporting.md) [c](events.md)"
    )


def test_a_page_that_is_named_is_a_link_but_not_in_code_and_links() -> None:
    names = {"0010": "0010-what.md"}
    code = "`docs/a.md` [docs/a.md](a.md)\n```text\ndocs/a.md\n```"
    assert linked(f"docs/events.md, docs/decisions/0010. {code}", "index.md", names) == (
        f"[events.md](events.md), [decision 0010](decisions/0010-what.md). {code}"
    )
    assert linked("docs/events.md docs/decisions/0010", "decisions/0001-a.md", names) == (
        "[events.md](../events.md) [decision 0010](0010-what.md)"
    )


def test_decisions_are_listed_by_number_and_title(tmp_path: Path) -> None:
    for name, heading in (("0002-b.md", "# 0002: Later"), ("0001-a.md", "# First of all")):
        (tmp_path / name).write_text(heading + "\n\nText.\n")
    assert decisions(tmp_path).splitlines()[-2:] == [
        "- [0001](0001-a.md) First of all",
        "- [0002](0002-b.md) Later",
    ]
