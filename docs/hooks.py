"""What mkdocs does not do by itself: the pages that stand beside docs/ in the repository are pages
of the site too, and the decisions are listed. It knows nothing of what the pages say.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

__all__ = ["on_files", "on_page_markdown"]

BESIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "CHANGELOG.md": "changelog.md",
}
_TARGET = re.compile(r'(\]\(|(?:src|srcset|href)=")([^)"#]+)')


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the pages beside docs/, and the list of the decisions."""
    docs = Path(config.docs_dir)
    for name, page in BESIDE.items():
        text = (docs.parent / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=from_docs(text)))
    files.append(
        File.generated(config, "decisions/index.md", content=decisions(docs / "decisions"))
    )
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """A page of docs/ that links to one beside it finds it on the site."""
    return _TARGET.sub(
        lambda found: found[1] + (BESIDE.get(found[2].removeprefix("../"), found[2])), markdown
    )


def from_docs(text: str) -> str:
    """A page beside docs/ with its links as they are from within docs/. One to what is no page
    stays, and the build names it.
    """
    return _TARGET.sub(lambda found: found[1] + found[2].removeprefix("docs/"), text)


def decisions(folder: Path) -> str:
    """A page with each decision's number and title, from its first heading."""
    lines = ["# Decisions", "", "What somebody will question, with the measurement.", ""]
    for path in sorted(folder.glob("0*.md")):
        heading = path.read_text(encoding="utf-8").partition("\n")[0]
        title = re.sub(r"^#\s*(?:\d+[.:]?\s+)?", "", heading)
        lines.append(f"- [{path.name[:4]}]({path.name}) {title}")
    return "\n".join(lines) + "\n"
