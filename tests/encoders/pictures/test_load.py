"""The picture model of the settings, whole; off, nothing of it is there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from encoders.pictures import load as module
from encoders.pictures import load_pictures, picture_source
from encoders.pictures.placing import PictureMap, write_map
from tests.encoders.pictures.drawn import data_uri, drawing, tiny_vit
from tests.encoders.tiny import message
from upwell.settings import EncoderSettings, PictureSettings

ENCODER = EncoderSettings(device="cpu")
DIMENSION = 8
KNOWN = {"abc/mean"}


def settings(folder: Path, **more: object) -> PictureSettings:
    return replace(PictureSettings(model=str(folder)), **more)  # type: ignore[arg-type]


def test_off_is_nothing_not_even_an_import() -> None:
    assert load_pictures(PictureSettings(), ENCODER, DIMENSION, KNOWN) is None
    code = (
        "import sys; from encoders.pictures import load_pictures; from upwell.settings import *; "
        "load_pictures(PictureSettings(), EncoderSettings(), 8, set()); "
        "print(sorted({'PIL', 'torch', 'transformers', 'ssl'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['ssl']")


def test_without_pillow_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    said = message(lambda: load_pictures(settings(tmp_path), ENCODER, DIMENSION, KNOWN))
    assert "pip install 'upwell[images]'" in said


def test_a_model_that_is_nowhere_names_its_own_setting(tmp_path: Path) -> None:
    said = message(lambda: load_pictures(settings(tmp_path / "no"), ENCODER, DIMENSION, KNOWN))
    assert "UPWELL_IMAGE_ENCODER" in said
    assert "UPWELL_ENCODER" not in said.replace("UPWELL_IMAGE_ENCODER", "")


def test_a_map_of_these_models_is_taken_and_of_others_refused(tmp_path: Path) -> None:
    folder = tiny_vit(tmp_path / "vit")
    plain = load_pictures(settings(folder), ENCODER, DIMENSION, KNOWN)
    assert plain is not None
    rng = np.random.default_rng(0)
    parts = (rng.normal(size=16), rng.normal(size=(16, 8)), rng.normal(size=8))
    first, turn, last = (one.astype(np.float32) for one in parts)
    made = PictureMap(first, turn, last, plain.model, "abc/mean")
    write_map(tmp_path / "map", made)
    on = settings(folder, map=tmp_path / "map")
    mapped = load_pictures(on, ENCODER, DIMENSION, KNOWN)
    assert mapped is not None
    assert mapped.model == plain.model
    assert mapped.revision.startswith(f"{plain.model}/{made.digest}-0.3")
    for known, dimension in (({"def/mean"}, DIMENSION), (KNOWN, 9)):
        said = message(partial(load_pictures, on, ENCODER, dimension, known))
        assert "fit it anew" in said
    write_map(tmp_path / "map", replace(made, model="other"))
    assert "fit it anew" in message(lambda: load_pictures(on, ENCODER, DIMENSION, KNOWN))


def test_vectors_are_kept_where_texts_are(tmp_path: Path) -> None:
    folder = tiny_vit(tmp_path / "vit")
    for count in (0, 1):
        own = load_pictures(settings(folder), ENCODER, DIMENSION, KNOWN, tmp_path / "kept")
        assert own is not None
        own.look([data_uri(drawing())])
        assert own.counts["from_disk"] == count
        own.close()


def test_where_pictures_come_from_is_as_the_settings_say(tmp_path: Path) -> None:
    off = picture_source(PictureSettings())
    assert (off.root, off.fetch, off.most_bytes) == (None, None, 5_000_000)
    on = picture_source(PictureSettings(folder=tmp_path, hosts="a.example, b.example:8443,"))
    assert on.root == tmp_path
    assert on.fetch is not None
    assert picture_source(PictureSettings(hosts=" , ")).fetch is None
    gone = PictureSettings(folder=tmp_path / "gone")
    assert "there is no such folder" in message(lambda: picture_source(gone))
