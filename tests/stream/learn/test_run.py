"""One learn process a models' folder, and an end in order."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stream.learn.run import own_folder, stop_on_signals
from upwell.errors import ModelError

ROOT = Path(__file__).parents[3]
OWNER = """
import sys
from pathlib import Path
from stream.learn.run import own_folder
own_folder(Path(sys.argv[1]))
print("owned", flush=True)
sys.stdin.read()
"""


def test_a_folder_has_one_owner_until_its_process_ends(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"owned\n"
        with pytest.raises(ModelError, match="another learn process runs"):
            own_folder(folder)
        owner.kill()
    own_folder(folder)


def test_both_signals_stop_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, object] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)

    class Loop:
        def stop(self, *_: object) -> None:
            """Told to end."""

    loop = Loop()
    stop_on_signals(loop)  # type: ignore[arg-type]
    assert handlers == {signal.SIGTERM: loop.stop, signal.SIGINT: loop.stop}
