"""The files of a snapshot brought into a data folder, without what is of users who were forgotten
since it was taken.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stream.broker.erasures.ledger import FILE as LEDGER
from stream.ops.backup.erasures import Owed, carry_out
from stream.ops.backup.running import RECORDS
from stream.ops.snapshot_files import copy_files
from stream.replay.progress import Moved
from upwell.errors import SnapshotError, UpwellError
from upwell.settings import Settings

__all__ = ["PARTS", "bring"]

PARTS = ("models", "store", "key", "uses")
"""Of a data folder; the broker's own part is `kafka`."""
STAGED = ".restoring"


def bring(
    settings: Settings, folder: Path, files: Mapping[str, str], due: Owed, moved: Moved
) -> tuple[dict[str, str], dict[str, int]]:
    """What was copied, and what of users who were forgotten since was removed of it. It comes into
    its place without them: a restore that is killed before has put nothing there.
    """
    staged = settings.data / STAGED
    shutil.rmtree(staged, ignore_errors=True)
    copied = copy_files(folder, staged, (*PARTS, "kafka"), frozenset(), moved)
    if copied != {name: sha for name, sha in files.items() if name not in (RECORDS, LEDGER)}:
        shutil.rmtree(staged, ignore_errors=True)
        raise SnapshotError(
            f"{settings.data} did not get what stands in {folder}: look at its disk and restore "
            "again"
        )
    try:
        again = carry_out(replace(settings, data=staged, models=None), due)
    except UpwellError:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    for part in sorted(staged.iterdir()):
        part.rename(settings.data / part.name)
    staged.rmdir()
    return copied, again
