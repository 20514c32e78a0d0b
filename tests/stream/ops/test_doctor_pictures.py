"""What the doctor says of the picture model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stream.ops.doctor import _check, _pictures
from tests.encoders.pictures.drawn import tiny_vit
from tests.encoders.tiny import tiny_model
from upwell.settings import EncoderSettings, PictureSettings, Settings


def test_it_loads_it_and_says_what_words_find(tmp_path: Path) -> None:
    texts = EncoderSettings(model=str(tiny_model(tmp_path / "tiny")), device="cpu")
    pictures = PictureSettings(model=str(tiny_vit(tmp_path / "vit")))
    own = replace(Settings(), encoder=texts, pictures=pictures)
    found = _check("pictures", lambda: _pictures(own))
    assert found.fine
    assert found.detail.endswith("; without UPWELL_IMAGE_MAP no words find them")
    (tmp_path / "vit" / "model.safetensors").unlink()
    torn = _check("pictures", lambda: _pictures(own))
    assert not torn.fine
    assert "model.safetensors is missing" in torn.detail
