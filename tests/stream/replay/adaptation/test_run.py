from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from encoders import load_encoder
from encoders.adapt import Objective, Options, Schedule
from stream.replay.adaptation.history import read_history
from stream.replay.adaptation.report import Report
from stream.replay.adaptation.run import Order, adapt_to
from stream.replay.log import read_log
from tests.stream.replay.adaptation.logs import NOW, small_log
from upwell.errors import EncoderError, LogError
from upwell.settings import EncoderSettings


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    lines = (
        {"topic": one.topic, "key": None, "value": orjson.loads(one.value)} for one in small_log()
    )
    path.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    return path


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    from tests.encoders.tiny import tiny_model  # imported here, when the root's filters hold

    return tiny_model(tmp_path / "tiny")


def run(tiny: Path, log: Path, out: Path, method: str = "lora", scene: bool = False) -> Report:
    schedule = Schedule(steps=6, batch=8, rate=2e-2, every=3)
    options = Options(method, Objective(0.2, 0.0), schedule)
    encoder = EncoderSettings(model=str(tiny), device="cpu")
    order = Order(out, options, scene)
    return adapt_to(lambda: read_history(read_log(log), NOW), order, encoder, lambda _: None)


def test_a_log_is_learned_and_the_folder_is_the_next_encoder(
    tiny: Path, log: Path, tmp_path: Path
) -> None:
    report = run(tiny, log, tmp_path / "out")
    assert report.model.startswith("tiny@")
    assert report.pairs["likes"] > 10
    assert report.targets == {"all": 12, "cold_user": 12}
    assert list(report.before) == list(report.after) == list(report.targets)
    assert report.folder == str(tmp_path / "out")
    encoder = load_encoder(str(tmp_path / "out"), device="cpu", engine="torch")
    assert encoder.revision == report.revision
    encoder.close()
    assert report.validation["best"] > report.validation["before"]
    assert report.loss.keys() == {"first", "last"}


def test_a_scene_is_held_out(tiny: Path, log: Path, tmp_path: Path) -> None:
    whole = run(tiny, log, tmp_path / "whole", "prefix")
    scene = run(tiny, log, tmp_path / "scene", "prefix", scene=True)
    assert scene.pairs["likes"] < whole.pairs["likes"]
    assert 0 < scene.targets["new_scene"] < scene.targets["all"] == whole.targets["all"]
    assert "new_scene" not in whole.targets


def test_a_prefix_has_figures_and_no_folder(tiny: Path, log: Path, tmp_path: Path) -> None:
    report = run(tiny, log, tmp_path / "out", "prefix")
    assert (report.folder, report.revision) == (None, None)
    assert not (tmp_path / "out").exists()


def test_faults_are_told_before_anything_is_read(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="is not empty"):
        run(tiny, tmp_path / "no-log", tiny)
    with pytest.raises(LogError, match="there is no log"):
        run(tiny, tmp_path / "no-log", tmp_path / "out")
