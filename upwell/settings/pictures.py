"""Settings of pictures: what reads them, where they may come from, how much they count."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from upwell.settings.values import setting

__all__ = ["PictureSettings"]


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """What is made of an item's `image`."""

    model: str | None = setting(
        None,
        "name or folder of the model that reads items' pictures, CLIP, SigLIP or any that reads "
        "pictures alone; unset, nobody looks at them (docs/pictures.md)",
        "operator",
        variable="IMAGE_ENCODER",
    )
    folder: Path | None = setting(
        None,
        "below which pictures lie that items name by a relative path; unset, no file is read",
        "operator",
        "folder",
        variable="IMAGES",
    )
    hosts: str | None = setting(
        None,
        "which pictures may be fetched from, by https and at public addresses alone; unset, "
        "nothing is fetched",
        "operator",
        "names with commas, each with its port where that is not 443",
        variable="IMAGE_HOSTS",
    )
    map: Path | None = setting(
        None,
        "the map by which words find pictures (docs/pictures.md); unset, pictures are placed among "
        "pictures alone",
        "tuner",
        "file",
        variable="IMAGE_MAP",
    )
    weight: float = setting(
        0.3,
        "of the picture in the vector of an item that has words too; 0 leaves it to the words",
        "tuner",
        "share",
        variable="IMAGE_WEIGHT",
        above=0,
        below=1,
    )
    most_bytes: int = setting(
        5_000_000,
        "of one picture at most",
        "operator",
        "bytes",
        variable="IMAGE_BYTES",
        above=1_000,
        below=100_000_000,
    )
    pixels: int = setting(
        25_000_000,
        "of one picture at most, told before they are made",
        "operator",
        "pixels",
        variable="IMAGE_PIXELS",
        above=1_000,
        below=200_000_000,
    )
    seconds: float = setting(
        5.0,
        "that one picture may take to be fetched",
        "operator",
        "seconds",
        variable="IMAGE_SECONDS",
        above=0.1,
        below=15,
    )
