"""What `upwell privacy` says of the learner's newest record."""

from __future__ import annotations

from typing import Any

from stream.ops.commands.trust.manual import TRUST
from stream.ops.commands.trust.privacy import privacy_report, privacy_sentence

TOLD = {
    "epsilon": 8.0,
    "delta": 0.001,
    "spent": 5.125,
    "epochs": 3,
    "exhausted": False,
    "users": 1234,
}


def said(private: dict[str, Any] | None) -> dict[str, Any]:
    report = privacy_report(
        {"serve-0": {"role": "serve"}, "learn": {"role": "learn", "private": private}}
    )
    assert report is not None
    assert list(report) == list(TRUST["privacy"].fields)
    return report


def test_what_is_spent_and_that_it_learns() -> None:
    sentence = privacy_sentence(said(TOLD))
    assert "ε 5.12 of 8 spent at δ 0.001, in 3 epochs, by what 1,234 users added." in sentence
    assert sentence.endswith("It learns.")


def test_that_it_is_spent() -> None:
    assert "nothing is learned of new events" in privacy_sentence(said({**TOLD, "exhausted": True}))


def test_no_budget_and_no_learner_are_told_apart() -> None:
    assert privacy_sentence(said(None)).startswith("No budget")
    assert privacy_report({"serve-0": {"role": "serve"}}) is None
