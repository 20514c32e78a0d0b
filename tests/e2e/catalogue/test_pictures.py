"""Pictures in a running engine, on a real broker: turned on over a catalogue that is there, beside
ones that cannot be had, through a `kill -9`, and off again; what words alone make is as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest

from stream.chain.pictures import has_picture
from stream.replay.log import LogRecord
from tests.e2e.engine import Engine
from tests.e2e.test_encoder import catalogue, kill
from tests.e2e.test_snapshot import play
from tests.encoders.pictures.drawn import data_uri, drawing, encoded, tiny_vit
from tests.encoders.tiny import tiny_model
from upwell.events import Topic

NOW_MS = 1_700_000_000_000
FILES = 6


def item(item_id: str, **more: object) -> LogRecord:
    value = {"item_id": item_id, "ts": NOW_MS, **more}
    return LogRecord(0, Topic.ITEMS, item_id.encode(), orjson.dumps(value))


def click(number: int, item_id: str) -> LogRecord:
    value = {"event_id": f"e{number}", "ts": NOW_MS + number, "user_id": "ann", "action": "click"}
    return LogRecord(0, Topic.CLICKS, b"ann", orjson.dumps({**value, "item_id": item_id}))


def shown(engine: Engine, *item_ids: str) -> Callable[[], bool]:
    """Exactly these items have pictures."""

    def look() -> bool:
        found = {one.item_id for one in catalogue(engine).values() if has_picture(one)}
        return found == set(item_ids)

    return look


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_pictures_come_into_a_running_catalogue_and_go(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    root = tmp_path / "images"
    root.mkdir()
    names = [f"f{number}" for number in range(FILES)]
    for number, name in enumerate(names):
        (root / f"{name}.png").write_bytes(encoded(drawing(number)))
    plain = {
        "UPWELL_ENCODER": str(tiny_model(tmp_path / "tiny")),
        "UPWELL_DEVICE": "cpu",
        "UPWELL_ENCODER_ENGINE": "torch",
        "UPWELL_VECTORS": str(tmp_path / "vectors"),
    }
    on = {
        **plain,
        "UPWELL_IMAGE_ENCODER": str(tiny_vit(tmp_path / "vit")),
        "UPWELL_IMAGES": str(root),
    }
    data = tmp_path / "data"
    first = [item(name, title=f"thing {name}", image=f"{name}.png") for name in names]
    with Engine(kafka, prefix, data, **plain) as engine:
        play(engine, [*first, item("words", title="words"), click(0, "f0")])
        before = catalogue(engine)
        assert shown(engine)()
    with Engine(kafka, prefix, data, **on) as engine:
        engine.wait(shown(engine, *names), "the files' pictures")
        more = [
            item("gone", title="gone", image="gone.png"),
            item("out", title="out", image="../tiny/config.json"),
            item("alone", image=data_uri(drawing(1))),
            item("none", image="https://nowhere.example/a.png"),
        ]
        play(engine, [*more, click(1, "alone")])
        engine.wait(shown(engine, *names, "alone"), "the picture alone")
        made = catalogue(engine)
        np.testing.assert_array_equal(made["words"].vector, before["words"].vector)
        assert made["alone"].pictured == made["f1"].pictured, "the same picture"
        assert "none" not in made
        engine.wait(lambda: engine.metrics.newest("serve")["pictures"]["missing"] >= 1, "counts")
        told = engine.metrics.newest("serve")
        assert told["pictures"]["outside"] == told["pictures"]["not_set"] == 1
        assert told["dead_letters"]["no_picture"] == 1
        kill(engine, "serve")
        play(engine, [click(2, "f2"), item("alone", title="named")])
        engine.wait(lambda: catalogue(engine)["alone"].title == "named", "a change")
        again = catalogue(engine)
        for name in names:
            np.testing.assert_array_equal(again[name].vector, made[name].vector)
        assert has_picture(again["alone"])
    said = " ".join((data / "logs" / "serve.log").read_text().split())
    assert "item out has no picture: outside" in said
    with Engine(kafka, prefix, data, **plain) as engine:
        engine.wait(shown(engine), "words alone")
        after = catalogue(engine)
        for name in names:
            np.testing.assert_array_equal(after[name].vector, before[name].vector)
