"""`upwell pictures fit`: what a log's pictures and words have in common."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from encoders.pictures import load_pictures
from encoders.pictures.placing import read_map
from stream.replay.log import BadLine, LogRecord
from stream.replay.picture_map import fit_pictures, illustrated
from tests.encoders.pictures.drawn import data_uri, drawing, tiny_clip, tiny_vit
from tests.encoders.tiny import message, tiny_model
from upwell.events import Topic
from upwell.settings import EncoderSettings, PictureSettings, Settings

NOW_MS = 1_700_000_000_000


def line(item_id: str, **more: object) -> LogRecord:
    value = {"item_id": item_id, "ts": NOW_MS, **more}
    return LogRecord(0, Topic.ITEMS, item_id.encode(), orjson.dumps(value))


def write_log(folder: Path, count: int) -> Path:
    path = folder / "log.jsonl"
    rows = [
        {
            "topic": "items",
            "key": f"i{n}",
            "value": {
                "item_id": f"i{n}",
                "ts": NOW_MS,
                "title": f"thing {n}",
                "image": data_uri(drawing(n)) if n else "http://h/a.png",
            },
        }
        for n in range(count)
    ]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


def settings(folder: Path, model: Path) -> Settings:
    return replace(
        Settings(),
        encoder=EncoderSettings(
            model=str(folder / "tiny"), device="cpu", engine="torch", vectors="off"
        ),
        pictures=PictureSettings(model=str(model)),
    )


def test_items_count_as_their_last_announcement_leaves_them() -> None:
    lines: list[LogRecord | BadLine] = [
        line("a", title="A", image="a.png"),
        line("b", title="B"),
        line("c", image="c.png"),
        line("d", title="D", image="d.png"),
        BadLine(5, "bad_json", "", b""),
        line("a", text="more", image="a2.png"),
        line("d", image=None),
        line("c", title="C"),
    ]
    assert illustrated(lines, NOW_MS) == (["A. more", "C"], ["a2.png", "c.png"])


@pytest.mark.parametrize("make", [tiny_vit, tiny_clip])
def test_a_log_makes_a_map_that_the_engine_takes(make: object, tmp_path: Path) -> None:
    tiny_model(tmp_path / "tiny")
    model = make(tmp_path / "pictures")  # type: ignore[operator]
    own, said = settings(tmp_path, model), list[str]()
    found = fit_pictures(write_log(tmp_path, 61), tmp_path / "map", own, NOW_MS, said.append)
    assert (found.items, found.pairs, found.held_out) == (61, 60, 12)
    assert found.missed == {"scheme": 1}
    assert said[0] == "61 items have a picture and words"
    made = read_map(tmp_path / "map")
    assert made.turn.shape[1] == 32
    on = replace(own.pictures, map=tmp_path / "map")
    reader = load_pictures(on, own.encoder, 32, {made.encoder})
    assert reader is not None
    [seen] = reader.look([data_uri(drawing(1))])
    assert seen.vector is not None
    np.testing.assert_allclose(np.linalg.norm(reader.placed(None, seen.vector)), 1.0, atol=1e-6)
    reader.close()


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    tiny_model(tmp_path / "tiny")
    own = settings(tmp_path, tiny_vit(tmp_path / "vit"))
    log = write_log(tmp_path, 20)
    out = tmp_path / "map"
    assert "a map needs 50" in message(lambda: fit_pictures(log, out, own, NOW_MS, print))
    off = replace(own, pictures=PictureSettings())
    said = message(lambda: fit_pictures(log, out, off, NOW_MS, print))
    assert "UPWELL_IMAGE_ENCODER" in said
    assert not out.exists()
