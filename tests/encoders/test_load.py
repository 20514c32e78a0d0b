"""The encoder of the settings, whole: named for people, silent, one line where it does not load."""

from __future__ import annotations

import logging
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from encoders import device, load_encoder, model_dimension
from encoders import load as module
from encoders.device import Placement
from encoders.engines import compiled
from encoders.engines.converted import EngineError
from encoders.folder import DEFAULT_MODEL, find_model
from tests.encoders.tiny import message, openvino_computes
from upwell.values import Vector


def test_a_folder_with_a_slash_at_its_end_keeps_its_name(tiny: Path) -> None:
    assert load_encoder(f"{tiny}/", device="cpu").revision.startswith("tiny@")


@pytest.mark.parametrize("name", ["no/such/folder", "bert-base-uncased", "/etc/hostname"])
def test_a_wrong_name_or_path_is_one_line(name: str) -> None:
    for ask in (find_model, load_encoder, model_dimension):
        said = message(lambda ask=ask: ask(name))  # type: ignore[misc]
        assert name in said
        assert "UPWELL_ENCODER" in said


@openvino_computes
def test_nothing_is_printed() -> None:
    program = (
        f"from encoders import load_encoder; load_encoder({DEFAULT_MODEL!r}, "
        "device='cpu').encode(['hello'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
@openvino_computes
def test_torch_is_held_neither_where_openvino_computes_nor_where_it_is_converted(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first start."""
    monkeypatch.setenv("UPWELL_CACHE", str(tmp_path / "cache"))
    program = (
        "import sys; from contextlib import closing; from encoders import load_encoder; "
        f"held = closing(load_encoder({str(tiny)!r}, device='cpu', engine='openvino')); "
        "print(held.thing.encode(['hello']).shape, {'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "(1, 32) set()"


def test_a_folder_of_ones_own_may_be_called_like_the_default(tiny: Path) -> None:
    folder = tiny.rename(tiny.parent / DEFAULT_MODEL)
    with closing(load_encoder(str(folder), device="cpu")) as encoder:
        assert encoder.dimension == 32
        assert encoder.revision.startswith(f"{tiny.parent.name}/{DEFAULT_MODEL}@")


def test_a_catalogue_is_kept_where_it_is_told_and_read_with_the_same_tokenizer(
    tiny: Path, tmp_path: Path
) -> None:
    def sources() -> dict[str, int]:
        with closing(load_encoder(str(tiny), device="cpu", vectors=tmp_path / "kept")) as encoder:
            bulk = encoder.in_bulk()
            bulk.encode(["a title", "another"])
            return bulk.sources

    assert sources() == {"encoded": 2, "from_memory": 0, "from_disk": 0}
    assert sources() == {"encoded": 0, "from_memory": 0, "from_disk": 2}
    (tiny / "vocab.txt").write_text((tiny / "vocab.txt").read_text() + "word\n")
    assert sources() == {"encoded": 2, "from_memory": 0, "from_disk": 0}


@pytest.fixture(scope="module")
def converted_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(converted_once: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny models are alike, and each is converted once."""
    monkeypatch.setenv("UPWELL_CACHE", str(converted_once))


def revision(folder: Path, engine: str) -> str:
    with closing(load_encoder(str(folder), device="cpu", engine=engine)) as encoder:
        return encoder.revision


@openvino_computes
def test_auto_takes_openvino_where_it_is(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "choose_int8", lambda placement: False)
    assert "/mean/openvino-" in revision(tiny, "auto")
    assert revision(tiny, "openvino") == revision(tiny, "auto")
    assert "openvino" not in revision(tiny, "torch")


@pytest.mark.slow
@openvino_computes
def test_auto_takes_8_bits_where_the_processor_gains_by_them(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "choose_int8", lambda placement: True)
    assert revision(tiny, "auto").endswith("/mean/openvino-int8")
    assert revision(tiny, "auto") == revision(tiny, "openvino-int8")
    assert "int8" not in revision(tiny, "openvino")


@openvino_computes
def test_auto_says_that_8_bits_are_refused_and_takes_what_the_processor_has(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    compile_one = compiled.compiled_encoder

    def refused(
        folder: Path, name: str, precision: str, threads: int, cache: Path | None
    ) -> object:
        if precision == "int8":
            raise EngineError("OpenVINO's vectors are not torch's")
        return compile_one(folder, name, precision, threads, cache)

    monkeypatch.setattr(device, "choose_int8", lambda placement: True)
    monkeypatch.setattr(compiled, "compiled_encoder", refused)
    assert "/mean/openvino-" in revision(tiny, "auto")
    [said] = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert said.startswith("OpenVINO's vectors are not torch's: computed in ")
    assert said.endswith(", not in 8 bits")
    wanted = message(lambda: revision(tiny, "openvino-int8"))
    assert "OpenVINO's vectors are not torch's" in wanted
    assert "UPWELL_ENCODER_ENGINE=torch" in wanted


@pytest.mark.parametrize("engine", ["openvino", "openvino-int8"])
def test_openvino_is_refused_beside_a_gpu_by_the_name_that_was_set(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(device, "choose_placement", lambda wanted: Placement("cuda", "bfloat16"))
    said = message(lambda: revision(tiny, engine))
    assert said.startswith(f"UPWELL_ENCODER_ENGINE={engine} computes on the CPU, not on cuda")


def test_auto_says_that_openvino_is_missing_and_takes_torch(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "upwell.encoder")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert "openvino" not in revision(tiny, "auto")
    lines = [record.getMessage() for record in caplog.records]
    assert sum("pip install upwell[openvino]" in line for line in lines) == 1
    assert "by torch on cpu" in lines[-1]


@pytest.mark.parametrize("engine", ["openvino", "openvino-int8"])
def test_where_openvino_is_wanted_it_is_or_nothing(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    said = message(lambda: revision(tiny, engine))
    assert "OpenVINO is not installed" in said
    assert "UPWELL_ENCODER_ENGINE=torch" in said


def test_auto_says_why_openvino_is_refused_and_takes_torch(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: object) -> object:
        raise EngineError("OpenVINO's vectors are not torch's")

    monkeypatch.setattr(compiled, "compiled_encoder", refused)
    assert "openvino" not in revision(tiny, "auto")
    warnings = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert warnings == ["OpenVINO's vectors are not torch's: torch encodes"]


def test_auto_says_that_openvino_cannot_compute_here_and_takes_torch(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def nothing(self: object, tokens: object) -> Vector:
        return np.zeros((0, 32), np.float32)

    monkeypatch.setattr(compiled.CompiledEncoder, "_pooled", nothing)
    assert "openvino" not in revision(tiny, "auto")
    [said] = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert said.startswith("OpenVINO cannot compute model")
    assert said.endswith("torch encodes")
    assert "UPWELL_ENCODER_ENGINE=torch" in message(lambda: revision(tiny, "openvino"))


def test_a_folder_that_is_no_model_fails_once_and_not_by_engine(
    tiny: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tiny / "config.json").write_text("{")
    assert "cannot be loaded" in message(lambda: revision(tiny, "auto"))
    assert caplog.records == []


@openvino_computes
def test_vectors_of_one_engine_are_not_taken_for_those_of_another(
    tiny: Path, tmp_path: Path
) -> None:
    def sources(engine: str) -> dict[str, int]:
        with closing(
            load_encoder(str(tiny), device="cpu", engine=engine, vectors=tmp_path / "kept")
        ) as encoder:
            bulk = encoder.in_bulk()
            bulk.encode(["a title"])
            return bulk.sources

    assert sources("torch")["encoded"] == 1
    assert sources("openvino") == {"encoded": 1, "from_memory": 0, "from_disk": 0}
    assert sources("openvino") == {"encoded": 0, "from_memory": 0, "from_disk": 1}
    assert sources("openvino-int8") == {"encoded": 1, "from_memory": 0, "from_disk": 0}
    assert sources("openvino-int8") == {"encoded": 0, "from_memory": 0, "from_disk": 1}


@openvino_computes
def test_both_engines_give_the_same_vectors(tiny: Path) -> None:
    texts = ["a film", "another", "hiking boots " * 20]
    found = []
    for engine in ("torch", "openvino"):
        with closing(load_encoder(str(tiny), device="cpu", engine=engine, threads=2)) as encoder:
            found.append(encoder.encode(texts))
    assert np.min((found[0] * found[1]).sum(axis=1)) > compiled.LEAST_COSINE
