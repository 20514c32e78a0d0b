"""Whoever waits is told once, of what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.topics.waiting import Waiting
from tests.gateway.served import a_list
from upwell.codec import dead_letter_value
from upwell.recommendations import DeadLetter

LETTER = DeadLetter(
    reason="out_of_range", detail="k", topic="requests", partition=0, offset=4, raw=b"", ts=1
)


def run(test: Callable[[Waiting], Awaitable[None]]) -> None:
    async def whole() -> None:
        await test(Waiting())

    asyncio.run(whole())


def test_the_list_with_the_trigger_answers() -> None:
    async def test(waiting: Waiting) -> None:
        with waiting.expect("ann", "t7") as future:
            waiting.answered("ann", a_list("ann", "t6"))
            waiting.answered("bob", a_list("bob", "t7"))
            assert not future.done()
            waiting.answered("ann", a_list("ann", "t7"))
            waiting.answered("ann", a_list("ann", "t7", "again"))
            assert future.result() == a_list("ann", "t7")

    run(test)


@pytest.mark.parametrize("early", [True, False])
def test_a_letter_about_the_record_answers_whenever_it_is_read(early: bool) -> None:
    async def test(waiting: Waiting) -> None:
        with waiting.expect("ann", "t7") as future:
            if early:
                waiting.refused(dead_letter_value(LETTER))
            waiting.stands_at("requests-0-4", future)
            if not early:
                waiting.refused(dead_letter_value(LETTER))
            answer = future.result()
            assert isinstance(answer, DeadLetter)
            assert answer.reason == "out_of_range"

    run(test)


def test_another_records_letter_and_what_is_none_change_nothing() -> None:
    async def test(waiting: Waiting) -> None:
        with waiting.expect("ann", "t7") as future:
            waiting.stands_at("requests-0-5", future)
            waiting.refused(dead_letter_value(LETTER))
            for strange in (b"", b"[]", b"{}", b"7", b"\xff"):
                waiting.refused(strange)
                waiting.answered("ann", strange)
            assert not future.done()

    run(test)


def test_who_does_not_wait_any_more_is_not_held() -> None:
    async def test(waiting: Waiting) -> None:
        with waiting.expect("ann", "a") as first, waiting.expect("ann", "b"):
            waiting.stands_at("requests-0-4", first)
        assert (waiting._lists, waiting._places, waiting._place_of) == ({}, {}, {})

    run(test)
