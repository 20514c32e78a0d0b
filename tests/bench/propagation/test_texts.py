"""Items as the log announces them, and their vectors with and without categories in the text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

from bench.propagation.texts import ByText, items_of, texts_of, vectors_of
from stream.replay.log import LogRecord
from upwell.events import Topic


def announced(item_id: str, categories: list[str]) -> LogRecord:
    value = {"item_id": item_id, "ts": 1, "title": f"T {item_id}", "text": "x"}
    value |= {"categories": categories}
    return LogRecord(0, Topic.ITEMS, item_id.encode(), orjson.dumps(value))


RECORDS = [announced("é", ["b", "a"]), announced("2", []), announced("3", ["b"])]


def test_labels_stand_in_the_order_of_announcement() -> None:
    _, items = items_of(RECORDS)
    assert items.ids == ["é", "2", "3"]
    assert items.names == ["a", "b"]
    assert items.held.tolist() == [[True, True], [False, False], [False, True]]
    assert items.categories(0, items.held) == ("a", "b")
    with pytest.raises(SystemExit, match="twice"):
        items_of([*RECORDS, RECORDS[0]])


def test_a_text_without_labels_names_none() -> None:
    values, _ = items_of(RECORDS)
    assert texts_of(values, labelled=True)[0] == "T é. b, a. x"
    assert texts_of(values, labelled=False)[0] == "T é. x"


def test_kept_vectors_are_read_and_found_by_text(tmp_path: Path) -> None:
    values, _ = items_of(RECORDS)
    rng = np.random.default_rng(7)
    full, bare = rng.normal(size=(2, 3, 4)).astype(np.float32)
    np.savez(tmp_path / "kept.npz", full=full, bare=bare)
    read = vectors_of(values, tmp_path / "kept.npz")
    np.testing.assert_array_equal(read[0], full)
    np.testing.assert_array_equal(read[1], bare)
    encoder = ByText(texts_of(values, labelled=True), full)
    np.testing.assert_array_equal(encoder.encode(["T 3. b. x", "T é. b, a. x"]), full[[2, 0]])
    with pytest.raises(KeyError):
        encoder.encode(["another"])
