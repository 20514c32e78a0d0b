"""OpenVINO's vectors are torch's, whatever the length and the precision, and where they are not it
is refused by name.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from encoders.device import Placement
from encoders.engines import compiled
from encoders.engines.compiled import LEAST_COSINE, compiled_encoder
from encoders.engines.converted import converted
from encoders.folder import DEFAULT_MODEL, find_model
from encoders.transformer import TransformerEncoder
from tests.encoders.tiny import POSITIONS, message, openvino_computes

TEXTS = [
    "",
    "no",
    "Toy Story (1995). Adventure, Animation, Children",
    "Ὀδύσσεια",
    "a \ud800 film",
    "the quick brown fox " * 100,
    *(f"{'a few words more ' * number}, {number}" for number in range(30)),
]


@openvino_computes
@pytest.mark.parametrize(("precision", "least"), [("float32", 0.99999), ("bfloat16", LEAST_COSINE)])
def test_the_vectors_are_those_of_torch(precision: str, least: float) -> None:
    folder = find_model(DEFAULT_MODEL)
    float32 = Placement("cpu", "float32")
    wanted = TransformerEncoder(folder, DEFAULT_MODEL, float32).encode(TEXTS)
    encoder = compiled_encoder(folder, DEFAULT_MODEL, precision, 2, None)
    found = encoder.encode(TEXTS)
    assert (found * wanted).sum(axis=1).min() > least
    assert encoder.revision.endswith(f"/mean/openvino-{precision}")


@openvino_computes
def test_any_model_is_taken_and_long_texts_count_with_their_beginning(tiny: Path) -> None:
    encoder = compiled_encoder(tiny, "tiny", "float32", 1, None)
    long, longer = encoder.encode(["word " * POSITIONS, "word " * 1_000])
    assert encoder.dimension == 32
    np.testing.assert_allclose(long, longer, atol=1e-5)


@openvino_computes
def test_other_vectors_than_those_of_torch_are_refused(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turned(folder: Path, name: str, cache: Path | None, int8: bool) -> object:
        source = converted(folder, name, cache, int8)
        return replace(source, probes=-source.probes)

    monkeypatch.setattr(compiled, "converted", turned)
    said = message(lambda: compiled_encoder(tiny, "tiny", "float32", 1, None))
    assert "OpenVINO's vectors of model 'tiny' are not torch's: cosine -1.0000" in said


def test_a_model_that_openvino_cannot_take_is_one_line(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> object:
        raise RuntimeError("no such operation\nsecond line")

    monkeypatch.setattr(compiled, "converted", failing)
    said = message(lambda: compiled_encoder(tiny, "tiny", "float32", 1, None))
    assert said == "OpenVINO cannot take model 'tiny': no such operation"


def test_nothing_is_reported_to_its_maker(tiny: Path, tmp_path: Path) -> None:
    program = (
        "import socket, sys\n"
        "from pathlib import Path\n"
        "def refuse(*_): raise AssertionError('a connection')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from encoders.engines.compiled import compiled_encoder\n"
        f"compiled_encoder(Path({str(tiny)!r}), 'tiny', 'float32', 1, None).encode(['a'])\n"
        "assert not [one for one in sys.modules if one.startswith('openvino_telemetry.')]\n"
        "assert 'openvino' in sys.modules\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"HOME": str(home), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (home / "intel").exists()  # where it keeps who was asked
