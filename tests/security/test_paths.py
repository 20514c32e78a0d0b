"""No id becomes the name of a file: what is stored of hostile ids lies in the store's folder under
names that are not theirs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from store import Store, open_store
from stream.broker.model_records import Version
from stream.broker.topics import partition_of, partitioner
from stream.chain.catalogue import Catalogue
from stream.chain.denoise import Denoiser, NoiseLimits
from stream.chain.fences import Fences
from stream.chain.fold import Bounds
from stream.chain.items import ItemPipeline
from stream.chain.overrides.standing import Standing
from stream.chain.pipeline import Limits, Pipeline
from stream.chain.privacy import Pseudonymizer
from stream.chain.records import Record
from stream.chain.users import Users
from tests.stream.chain.chain import ENCODER, NOW_MS, PARTITIONS, NotingRanker, record
from upwell.errors import ModelError
from upwell.events import Topic

MARK = "zzmark"
HOSTILE = (
    f"../../../{MARK}",
    f"/tmp/{MARK}",
    f"..\\..\\{MARK}",
    f"{MARK}/../../x",
    f"~/{MARK}",
    f"file:///{MARK}",
    f"$HOME/{MARK}",
    f"{MARK};touch x",
    f"`{MARK}`",
    f"{MARK}*?",
    ".",
    "..",
    "CON",
    "~",
)


def user_chain(store: Store) -> Pipeline:
    return Pipeline(
        Limits(
            bounds=Bounds(100, 100, 86_400_000.0),
            partition_of=partitioner(PARTITIONS),
            list_k=3,
            test_sample=1.0,
        ),
        encoder=ENCODER,
        ranker=NotingRanker(),
        users=Users(store, 100, ENCODER.dimension),
        catalogue=Catalogue(),
        pseudonymizer=Pseudonymizer(bytes(32)),
        denoiser=Denoiser(NoiseLimits(1_000, 500)),
        fences=Fences(lambda: None),
        standing=Standing(),
    )


def clicks() -> list[Record]:
    return [
        record(
            Topic.CLICKS,
            offset,
            {"user_id": name, "item_id": name, "action": "click"},
            partition=partition_of(name.encode(), PARTITIONS),
        )
        for offset, name in enumerate(HOSTILE)
    ]


def test_hostile_ids_stay_in_the_store(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "c" / "store"
    store = open_store("edge", folder=folder, dimension=ENCODER.dimension)
    announced = [
        record(Topic.ITEMS, offset, {"item_id": name, "ts": NOW_MS, "title": name})
        for offset, name in enumerate(HOSTILE)
    ]
    assert len(ItemPipeline(ENCODER, store).run(announced, NOW_MS).items) == len(HOSTILE)
    assert len(user_chain(store).run(clicks(), NOW_MS).lists) == len(HOSTILE)
    assert [item.item_id if item else None for item in store.read_items(HOSTILE)] == list(HOSTILE)
    store.close()
    found = [path.relative_to(tmp_path) for path in tmp_path.rglob("*")]
    assert [
        path for path in found if MARK in str(path) or "CON" in path.parts or "~" in path.parts
    ] == []
    assert all(
        path.parts[: len(("a", "b", "c", "store"))] == ("a", "b", "c", "store")[: len(path.parts)]
        for path in found
    )
    assert not Path(f"/tmp/{MARK}").exists()


@pytest.mark.parametrize("file", ["../x", "/etc/passwd", "a/b", "..", ".", ""])
def test_a_version_names_a_file_of_the_models_folder_and_no_other(file: str) -> None:
    """Whoever may write to `models` may not read from elsewhere."""
    with pytest.raises(ModelError, match="not in the models' folder"):
        Version("v", file, "0" * 64, {})
