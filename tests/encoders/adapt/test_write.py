from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from encoders import load_encoder
from encoders.adapt.write import note_training, trained_until, write_model
from encoders.device import Placement
from encoders.transformer import TransformerEncoder


def test_the_folder_is_a_plain_model_with_a_revision_of_its_own(tiny: Path, tmp_path: Path) -> None:
    (tiny / "1_Pooling").mkdir()
    (tiny / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    (tiny / ".hidden.json").write_text("{}")
    base = TransformerEncoder(tiny, "tiny", Placement("cpu", "float32"))
    next(iter(base.pooled.model.encoder.parameters())).data += 0.5  # type: ignore[union-attr]
    out = tmp_path / "out"
    out.mkdir()
    write_model(base.pooled.model, tiny, out)
    assert (out / "1_Pooling" / "config.json").is_file()
    assert not (out / ".hidden.json").exists()
    assert not (out / ".partial").exists()
    assert (out / "config.json").read_bytes() == (tiny / "config.json").read_bytes()
    mode = (out / "config.json").stat().st_mode
    assert (out / "model.safetensors").stat().st_mode == mode
    encoder = load_encoder(str(out), device="cpu", engine="torch")
    assert encoder.revision.startswith("out@")
    assert encoder.revision.split("@")[1][:12] not in base.revision
    np.testing.assert_allclose(
        encoder.encode(["a space adventure"]), base.encode(["a space adventure"]), atol=0.02
    )
    encoder.close()


def test_until_when_it_was_trained_is_read_where_it_was_noted(tmp_path: Path) -> None:
    assert trained_until(tmp_path) == 0
    note_training(tmp_path, 1_700_000_000_000)
    assert trained_until(tmp_path) == 1_700_000_000_000
    (tmp_path / "adapted.json").write_text("[]")
    assert trained_until(tmp_path) == 0
