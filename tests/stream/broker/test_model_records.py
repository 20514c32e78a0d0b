"""The records of the `models` topic: each kind told from the others by its header, and its value
read back as what was announced.
"""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.release.delta import decode
from learner.release.guard import Ruling, Verdict
from stream.broker.model_records import (
    DELTA,
    KIND,
    ROLLBACK,
    VERSION,
    Version,
    delta_record,
    rollback_record,
    ruling_record,
    version_record,
)
from tests.learner.training.small import learner_of, log
from upwell.errors import ModelError
from upwell.events import Topic

NAMES = st.from_regex(r"[0-9a-z]{1,20}\.json", fullmatch=True)
RULING = Ruling(Verdict.SUPERSEDE, learned=70, targets=50, candidate=0.25, serving=0.5)
FIRST = Version("7-aa", "0000000000000001.json", "ab" * 32, {"clicks-0": 3})


@given(
    st.builds(
        Version,
        version=st.text(max_size=20),
        file=NAMES,
        sha256=st.text(max_size=64),
        watermark=st.dictionaries(st.text(max_size=9), st.integers(-1, 2**62), max_size=4),
    )
)
def test_a_version_is_read_back_as_it_was_announced(version: Version) -> None:
    for record in (version_record(version), rollback_record(version)):
        assert Version.read(record.value) == version


@pytest.mark.parametrize("file", ["", ".", "..", "../x.json", "a/b.json", "/etc/passwd", "x/"])
def test_a_file_outside_the_models_folder_is_refused(file: str) -> None:
    with pytest.raises(ModelError, match="not in the models' folder"):
        Version("1-a", file, "", {})


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"7", b"{}", b'{"version": "1"}'])
def test_what_is_no_version_is_said(value: bytes | None) -> None:
    with pytest.raises(ModelError, match="no version"):
        Version.read(value)


def test_a_delta_is_read_back_as_it_was_made() -> None:
    delta = learner_of(log(40)[0]).take_delta()
    found = decode(delta_record(delta).value)
    assert (found.version, found.watermark) == (delta.version, delta.watermark)
    assert {name: array.tolist() for name, array in found.arrays.items()} == {
        name: array.tolist() for name, array in delta.arrays.items()
    }


def test_a_ruling_says_what_was_decided_and_what_serves_after_it() -> None:
    value = orjson.loads(ruling_record(RULING, "70-bb").value)
    assert (value["verdict"], value["targets"], value["version"]) == ("superseded", 50, "70-bb")


def test_all_stand_on_one_partition_in_one_order_and_differ_by_their_kind() -> None:
    records = [
        delta_record(learner_of([]).take_delta()),
        version_record(FIRST),
        rollback_record(FIRST),
        ruling_record(RULING, "70-bb"),
    ]
    assert {(one.topic, one.partition, one.key) for one in records} == {(Topic.MODELS, 0, None)}
    kinds = [dict(one.headers)[KIND] for one in records]
    assert kinds[:3] == [DELTA, VERSION, ROLLBACK]
    assert len(set(kinds)) == len(kinds)
