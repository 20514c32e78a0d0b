"""Which fields of a record go together; `tests/upwell/test_schema.py` has them one by one."""

from __future__ import annotations

import pytest

from upwell.errors import InvalidEventError
from upwell.events import Knowledge, KnowledgeKind
from upwell.knowledge.records import fields_agree


def test_a_rule_is_taken_back_by_its_id_alone() -> None:
    gone = Knowledge(ts=0, kind=KnowledgeKind.FILTER, rule_id="r", deleted=True)
    fields_agree(gone)
    with pytest.raises(InvalidEventError, match="category is missing"):
        fields_agree(Knowledge(ts=0, kind=KnowledgeKind.FILTER, rule_id="r"))


def test_a_record_is_keyed_by_its_item_or_its_rule() -> None:
    triple = Knowledge(ts=0, kind=KnowledgeKind.TRIPLE, item_id="i", relation="r", value="v")
    fields_agree(triple)
    assert triple.key == "i"
    assert Knowledge(ts=0, kind=KnowledgeKind.FILTER, rule_id="r", category="c").key == "r"
