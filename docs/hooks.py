"""What mkdocs does not do by itself: the pages that stand beside docs/ in the repository are pages
of the site too, decisions are listed, and a page that is named becomes a link. It knows nothing of
what the pages say.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

__all__ = ["BESIDE", "beside", "decisions", "from_docs", "linked", "on_files", "on_page_markdown"]

BESIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "CHANGELOG.md": "changelog.md",
}
_TARGET = re.compile(r'(\]\(|(?:src|srcset|href)=")([^)"#]+)')
_CODE_OR_LINK = re.compile(
    r"(^ *```.*?^ *```$|`[^`\n]+`|\[[^\]\n]*\]\([^)\n]*\))", re.MULTILINE | re.DOTALL
)
_NAMED = re.compile(r"\bdocs/(decisions/\d{4}|\w+\.md)(?:-[\w-]+\.md)?")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the pages beside docs/, and the list of the decisions."""
    docs = Path(config.docs_dir)
    for name, page in BESIDE.items():
        text = (docs.parent / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=from_docs(text)))
    listed = decisions(docs / "decisions")
    files.append(File.generated(config, "decisions/index.md", content=listed))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """With links to the pages beside docs/ as they are on the site, and to each that is named."""
    names = [path.name for path in Path(config.docs_dir, "decisions").glob("0*.md")]
    return linked(beside(markdown), page.file.src_uri, {name[:4]: name for name in names})


def from_docs(text: str) -> str:
    """A page beside docs/ with its links as they are from within docs/. One to what is no page
    stays, and the build names it.
    """
    return _TARGET.sub(lambda found: found[1] + found[2].removeprefix("docs/"), text)


def beside(text: str) -> str:
    """A page of docs/ that links to one beside it finds it on the site."""
    return _TARGET.sub(
        lambda found: found[1] + (BESIDE.get(found[2].removeprefix("../"), found[2])), text
    )


def linked(text: str, page: str, names: dict[str, str]) -> str:
    """`docs/events.md` and `docs/decisions/0010`, named outside of code and links, as links from
    `page`. names: of the decisions' files, by number.
    """

    def link(found: re.Match[str]) -> str:
        target = found[1]
        if target.startswith("decisions/"):
            target = f"decisions/{names[target[-4:]]}"
        shown = f"decision {found[1][-4:]}" if "/" in found[1] else found[1]
        return f"[{shown}]({posixpath.relpath(target, posixpath.dirname(page))})"

    parts = _CODE_OR_LINK.split(text)
    parts[::2] = [_NAMED.sub(link, part) for part in parts[::2]]
    return "".join(parts)


def decisions(folder: Path) -> str:
    """A page with each decision's number and title, from its first heading."""
    lines = ["# Decisions", "", "What somebody will question, with the measurement.", ""]
    for path in sorted(folder.glob("0*.md")):
        heading = path.read_text(encoding="utf-8").partition("\n")[0]
        title = re.sub(r"^#\s*(?:\d+[.:]?\s+)?", "", heading)
        lines.append(f"- [{path.name[:4]}]({path.name}) {title}")
    return "\n".join(lines) + "\n"
