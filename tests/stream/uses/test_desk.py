"""The desk as a use: what it keeps comes back whole, and how much it takes. `test_fold.py` has its
answers, `tests/learner/desk` what it learns.
"""

from __future__ import annotations

import orjson
import pytest

from encoders.hashing import HashingEncoder
from stream.chain.privacy import Pseudonymizer
from stream.uses import desk as module
from stream.uses.desk import SupportDesk
from stream.uses.fold import Row, fold
from upwell.uses.topics import UseTopic

NOW = 1_700_000_000_000
NAMES = Pseudonymizer(b"k" * 32)
ENCODER = HashingEncoder(64)


def rows() -> list[Row]:
    said = [
        (UseTopic.TEMPLATES, {"template_id": f"t{one}", "title": f"title {one}"}) for one in (0, 1)
    ]
    for number in range(30):
        text = f"about title {number % 2} again {number}"
        said += [
            (UseTopic.QUESTIONS, {"question_id": f"q{number}", "user_id": "u", "text": text}),
            (
                UseTopic.CHOICES,
                {"question_id": f"q{number}", "template_id": f"t{number % 2}", "by": "eve"},
            ),
        ]
    return [
        Row(topic, 0, offset, None, orjson.dumps({"ts": NOW, **value}), {}, NOW)
        for offset, (topic, value) in enumerate(said)
    ]


def test_what_it_keeps_comes_back_whole() -> None:
    whole, first, second = (SupportDesk(64, 0.9) for _ in range(3))
    everything = rows()
    told = fold(whole, ENCODER, NAMES, everything, NOW)
    before = fold(first, ENCODER, NAMES, everything[:30], NOW)
    second.restore(first.arrays(), orjson.loads(orjson.dumps(first.meta())))
    after = fold(second, ENCODER, NAMES, everything[30:], NOW)
    assert [*before.published, *after.published] == told.published
    assert second.meta() == whole.meta()
    assert second.figures() == whole.figures()
    for name, array in whole.arrays().items():
        assert second.arrays()[name].tobytes() == array.tobytes(), name


def test_all_that_is_held_of_one_who_asked_is_what_forgetting_removes() -> None:
    use, by = SupportDesk(64, 0.9), NAMES.pseudonym("u")
    fold(use, ENCODER, NAMES, rows(), NOW)
    unlike = {"question_id": "odd", "user_id": "u", "text": "zebra quantum violin"}
    asked = Row(UseTopic.QUESTIONS, 0, 99, None, orjson.dumps({"ts": NOW, **unlike}), {}, NOW)
    fold(use, ENCODER, NAMES, [asked], NOW)
    held = use.held(by)
    assert {one["question_id"] for one in held} == {"odd", *(f"q{number}" for number in range(30))}
    assert {one["template_id"] for one in held} == {None, "t0", "t1"}
    use.merge(by, "other")
    assert use.held(by) == []
    assert use.held("other") == held
    assert use.forget("other") > len(held)
    assert use.held("other") == []
    assert "zebra" not in str(use.meta()["known"]) + str(use.meta()["pending"])


def test_there_are_so_many_templates_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TEMPLATES", 1)
    use = SupportDesk(64, 0.9)
    first, second = rows()[:2]
    told = fold(use, ENCODER, NAMES, [first, second, first], NOW)
    assert [(one.reason, one.offset) for one in told.letters] == [("templates_full", 1)]
    assert use.figures()["templates"] == 1
