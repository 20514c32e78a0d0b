"""A checkpoint copied while its owner writes and removes others."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from learner.release import checkpoint
from learner.release.folder import ModelsFolder
from upwell.errors import ModelError

__all__ = ["copy_checkpoint"]

TRIES = 5


def copy_checkpoint(models: ModelsFolder, target: ModelsFolder) -> dict[str, Any]:
    """The newest whole checkpoint to the empty folder `target`; its meta, empty where there is none
    yet.

    Raises `ModelError` where it is torn, `OSError`.
    """
    for left in reversed(range(TRIES)):
        try:
            newest = checkpoint.latest(models)
            if newest is None:
                return {}
            for kind in (".safetensors", ".json"):  # the one that makes it count comes last
                name = PurePath(newest.name).stem + kind
                target.write(name, models.read(name))
            return checkpoint.load(target, newest.name)[1]
        except (FileNotFoundError, ModelError):  # pruned meanwhile, or really torn
            if left == 0:
                raise
            target.remove(target.names())
    raise AssertionError("the last try returns or raises")
