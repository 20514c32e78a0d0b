"""All that is held of a user, gathered from a real broker, a store and a data folder; of nobody
else anything.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from stream.broker.engines import agree_on_key
from stream.broker.erasures.topic import add_to_ledger
from stream.chain.effects import Forgotten
from stream.explain.evidence import Evidence, evidence_file
from stream.explain.packed import pack
from stream.ops.access.document import export
from tests.stream.ops.access.held import ANN, BOB, VISITOR, fill, settings_of
from upwell.client import client_options
from upwell.errors import SettingsError
from upwell.settings import Settings


@pytest.fixture
def own(kafka: str, prefix: str, tmp_path: Path) -> Settings:
    return settings_of(kafka, prefix, tmp_path / "data")


def test_everything_of_a_user_and_of_their_guest_is_told_and_nothing_of_others(
    own: Settings,
) -> None:
    fill(own)
    request = pack({"history": ["what ann did"]})
    rows = [("kept", ANN, request, b""), ("his", BOB, b"", b""), ("guest", VISITOR, request, b"")]
    with closing(Evidence(evidence_file(own.data, "serve-0"))) as evidence:
        evidence.add_lists(b"", 5, rows)
    found = export(own, "ann", events=True, now_ms=7)
    kept = sorted(found["kept_lists"], key=lambda one: str(one["list_id"]))
    assert [(one["list_id"], one["at"]) for one in kept] == [("guest", 5), ("kept", 5)]
    assert kept[0]["request"] == {"history": ["what ann did"]}
    text = orjson.dumps(found).decode()
    assert BOB not in text
    assert '"bob"' not in text
    assert (found["user_id"], found["pseudonym"], found["held"]) == ("ann", ANN, True)
    assert found["state"]["had"] == ["i"]
    assert found["state"]["history"][1]["rating"] == 4.5
    assert len(found["state"]["intent"]) == 384
    assert found["guests"]["ids"] == ["visitor"], "a merge that was not done makes nobody one"
    assert found["guests"]["states"][VISITOR]["events"] == 1
    assert found["newest_list"]["list_id"] == "newer"
    assert found["uses"] == {}
    counts = {topic: one["count"] for topic, one in found["topics"].items() if one["count"]}
    assert counts == {
        "clicks": 2,
        "controls": 2,
        "recommendations": 2,
        "dead_letters": 1,
        "examples": 2,
    }
    clicks = found["topics"]["clicks"]["records"]
    assert [one["value"]["user_id"] for one in clicks] == ["ann", "visitor"]
    assert found["topics"]["clicks"]["oldest_ms"] <= found["topics"]["clicks"]["newest_ms"]
    counted = export(own, "ann", events=False, now_ms=7)
    assert {tuple(one) for one in counted["kept_lists"]} == {("list_id", "at")}
    assert "records" not in counted["topics"]["clicks"]
    assert counted["topics"]["clicks"]["count"] == 2


def test_of_whom_nothing_is_held_that_is_said(own: Settings) -> None:
    fill(own)
    for user in ("nobody", "Äå 😀", " ann"):
        found = export(own, user, events=False, now_ms=7)
        assert (found["held"], found["state"], found["forgotten_ms"]) == (False, None, None)
        assert not any(one["count"] for one in found["topics"].values())
    nobody = export(own, "nobody", events=False, now_ms=7)["pseudonym"]
    add_to_ledger(
        client_options(own.kafka), own.kafka.prefix, [Forgotten(nobody, 5, "controls-0", 1, 0)]
    )
    found = export(own, "nobody", events=False, now_ms=7)
    assert (found["held"], found["forgotten_ms"]) == (False, 5)


def test_without_the_key_of_these_topics_it_is_no_answer(own: Settings, tmp_path: Path) -> None:
    client, prefix = client_options(own.kafka), own.kafka.prefix
    elsewhere = replace(own, data=tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="there is no key in"):
        export(elsewhere, "ann", events=False, now_ms=7)
    assert not elsewhere.data.exists()
    agree_on_key(client, prefix, "0123456789abcdef", "first")
    with pytest.raises(SettingsError, match="made with another key"):
        export(own, "ann", events=False, now_ms=7)
