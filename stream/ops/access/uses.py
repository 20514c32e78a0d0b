"""What the other uses keep of users, as the newest checkpoint of each has it. What they took in
since stands on their topics.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from encoders import model_dimension
from learner.release.folder import open_folder
from stream.ops.access.windows import load_newest
from stream.uses.run import USES, use_folder
from upwell.settings import Settings

__all__ = ["read_uses"]


def read_uses(settings: Settings, users: Collection[str]) -> dict[str, dict[str, Any]]:
    """By use, where this data folder has it: its checkpoint's file, and what is kept of `users`
    (pseudonyms), JSON-ready. Raises `ModelError` where a checkpoint is torn.
    """
    homes = {name: use_folder(settings, name) for name in USES}
    return {name: _read(settings, name, users) for name, home in homes.items() if home.is_dir()}


def _read(settings: Settings, name: str, users: Collection[str]) -> dict[str, Any]:
    newest = load_newest(open_folder(str(use_folder(settings, name))))
    if newest is None:
        return {"checkpoint": None, "kept": []}
    file, arrays, meta = newest
    use = USES[name](settings, model_dimension(settings.encoder.model))
    use.restore(arrays, meta["use"])
    kept = [{"user": user, **one} for user in sorted(users) for one in use.held(user)]
    return {"checkpoint": file, "kept": kept}
