"""The loop of a use on real Kafka: answers come, a crash at any point loses and doubles none, what
is learned is the same after it, and who is forgotten is gone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from encoders.hashing import HashingEncoder
from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.broker.topics import ensure_topics
from stream.chain.privacy import Pseudonymizer
from stream.uses.desk import SupportDesk
from stream.uses.loop import UseLoop
from stream.uses.options import UseOptions
from stream.uses.steps import Step
from stream.uses.topics import use_topics
from tests.stream.uses.desks import (
    KEY,
    PARTITIONS,
    Producing,
    Reminding,
    answers,
    ask_and_choose,
    desk_options,
    read,
    running,
    until,
)
from tests.topics import delete_topics
from upwell.errors import ModelError, SettingsError
from upwell.events import ControlKind, Topic
from upwell.uses.topics import UseTopic


@pytest.fixture
def options(kafka: str, prefix: str, tmp_path: Path) -> UseOptions:
    return desk_options(kafka, prefix, tmp_path / "desk")


@pytest.fixture
def producing(options: UseOptions) -> Iterator[Producing]:
    one = Producing(options)
    yield one
    one.close()


def test_a_question_has_its_answer_and_a_choice_teaches(
    options: UseOptions, producing: Producing
) -> None:
    with running(options) as one:
        for number in range(40):
            producing.ask(number)
            until(lambda n=number: len(answers(options)) == n + 1)  # type: ignore[misc]
            producing.choose(number)
        until(lambda: sum(one.use.figures()["choices"].values()) == 40)
        one.stop()
    told = {one.question_id: one for one in answers(options)}
    assert set(told) == {f"q{number}" for number in range(40)}
    assert told["q0"].suggestions[0].template_id == "card"
    assert not told["q0"].answers
    assert told["q0"].least is None
    assert told["q39"].answers
    assert told["q39"].suggestions[0].template_id == "refund"
    assert told["q39"].user_id == "u4"


class CrashError(Exception):
    pass


@pytest.mark.parametrize("when", ["before the transaction", "in it", "after it", "in a checkpoint"])
def test_a_crash_loses_nothing_and_counts_nothing_twice(
    options: UseOptions, producing: Producing, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Whatever is going on: what has been answered is not answered again, and what is learned is
    what one that never crashed has learned.
    """
    from stream.uses.sender import Sender

    commit, save = Sender.commit, checkpoint.save_checkpoint
    calls = {"left": 3}

    def crashes() -> bool:
        calls["left"] -= 1
        return calls["left"] == 0

    def committed(self: Sender, *args: Any) -> int:
        if when == "before the transaction" and crashes():
            raise CrashError
        if when == "in it" and crashes():
            self._producer.begin_transaction()
            for one in args[0]:
                self._send(one.topic, one.key.encode(), orjson.dumps(one.value))
            self._producer.flush()
            raise CrashError
        done = commit(self, *args)
        if when == "after it" and crashes():
            raise CrashError
        return done

    def saved(*args: Any, **more: Any) -> Any:
        if when == "in a checkpoint" and crashes():
            raise CrashError
        return save(*args, **more)

    monkeypatch.setattr(Sender, "commit", committed)
    monkeypatch.setattr(checkpoint, "save_checkpoint", saved)
    asked = threading.Thread(target=ask_and_choose, args=(producing,))
    with running(options) as one:
        asked.start()
        assert isinstance(one.ended(), CrashError)
    with running(options) as again:
        asked.join()
        until(lambda: sum(again.use.figures()["choices"].values()) == 60)
        again.stop()
    assert sorted(one.question_id for one in answers(options)) == sorted(
        f"q{number}" for number in range(60)
    )
    assert again.use.figures()["questions"]["repeated"] == 0
    assert read(options, Topic.DEAD_LETTERS, 1) == []
    _same_as_taken_again(options, again.use)


def _same_as_taken_again(options: UseOptions, use: SupportDesk) -> None:
    """One that begins with nothing takes the steps again, and has the same in mind; it says
    nothing.
    """
    told = len(answers(options))
    fresh = replace(options, folder=LocalFolder(Path(f"{options.folder.address}-fresh")))
    with running(fresh) as one:
        until(lambda: sum(one.use.figures()["choices"].values()) == 60)
        one.stop()
    assert one.use.meta() == use.meta()
    for name, array in use.arrays().items():
        assert array.tobytes() == one.use.arrays()[name].tobytes(), name
    assert len(answers(options)) == told


def test_what_the_clock_tells_is_told_once_and_known_after_a_crash(
    options: UseOptions, producing: Producing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reminded() -> list[bytes]:
        return sorted(one.key for one in read(options, UseTopic.PROPOSALS))

    monkeypatch.setattr(UseLoop, "_checkpoint", lambda *_, **__: None)
    with running(options, Reminding(64, 0.9)) as one:
        for number in range(3):
            producing.ask(number)
            until(lambda n=number: len(reminded()) == n + 1)  # type: ignore[misc]
        one.stop()
    monkeypatch.undo()
    with running(options, Reminding(64, 0.9)) as again:
        producing.ask(3)
        until(lambda: len(reminded()) == 4)
        again.stop()
    assert reminded() == [b"r0", b"r1", b"r2", b"r3"]
    assert again.use.figures()["questions"]["repeated"] == 0


def test_who_is_forgotten_is_in_no_checkpoint_and_their_letters_carry_their_name(
    options: UseOptions, producing: Producing
) -> None:
    with running(options) as one:
        for number in range(12):
            producing.ask(number, user="ann" if number % 3 == 0 else "bob")
            producing.choose(number)
        bad = {"question_id": "bad", "user_id": "ann"}
        producing.send(UseTopic.QUESTIONS, "ann", bad)
        until(lambda: len(read(options, Topic.DEAD_LETTERS, 1)) == 1)
        until(lambda: sum(one.use.figures()["choices"].values()) == 12)
        forget = {"event_id": "c1", "kind": str(ControlKind.FORGET_USER), "user_id": "ann"}
        producing.send(Topic.CONTROLS, "ann", {**forget, "by": "tester", "why": "asked for"})
        until(lambda: one.use.figures()["remembered"] == 8)
        until(lambda: len(checkpoint.every(options.folder)) == 1)
        one.stop()
    ann = Pseudonymizer(KEY).pseudonym("ann")
    [only] = checkpoint.every(options.folder)
    _arrays, meta = checkpoint.load(options.folder, only.name)
    assert ann not in str(meta)
    assert Pseudonymizer(KEY).pseudonym("bob") in str(meta)
    assert meta["forgotten"] == 8, "four questions, each also known of its template"
    letter = orjson.loads(read(options, Topic.DEAD_LETTERS, 1)[0].value)
    assert (letter["reason"], letter["topic"], letter["user"]) == (
        "missing_field",
        "questions",
        ann,
    )


def test_a_second_process_shuts_the_first_one_out(
    options: UseOptions, producing: Producing
) -> None:
    with running(options) as first:
        producing.ask(0)
        until(lambda: len(answers(options)) == 1)
        other = replace(options, folder=LocalFolder(Path(f"{options.folder.address}-other")))
        with running(other) as second:
            until(lambda: hasattr(second.loop, "_inputs"))
            producing.ask(1)
            fault = first.ended()
            until(lambda: len(answers(options)) == 2)
            second.stop()
    assert isinstance(fault, SettingsError)
    assert "another process runs desk" in str(fault)
    assert [one.question_id for one in sorted(answers(options), key=lambda one: one.ts)] == [
        "q0",
        "q1",
    ]


def test_another_encoder_is_refused_by_name(options: UseOptions, producing: Producing) -> None:
    with running(options) as one:
        producing.ask(0)
        until(lambda: len(answers(options)) == 1)
        one.stop()
    with running(replace(options, encoder=HashingEncoder(32))) as other:
        fault = other.ended()
    assert isinstance(fault, ModelError)
    assert "UPWELL_ENCODER" in str(fault)


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(
    options: UseOptions, producing: Producing
) -> None:
    with running(options) as one:
        producing.ask(0)
        until(lambda: len(answers(options)) == 1)
        one.stop()
    delete_topics(options.client, [options.prefix + UseTopic.QUESTIONS])
    ensure_topics(options.prefix, PARTITIONS, options.client, use_topics(one.use))
    producing.ask(1)
    with running(options) as again:
        until(lambda: len(answers(options)) == 2)
        again.stop()
    assert {one.question_id for one in answers(options)} == {"q0", "q1"}
    assert again.use.figures()["templates"] == 2


def test_steps_that_every_checkpoint_covers_are_removed(
    options: UseOptions, producing: Producing
) -> None:
    with running(options) as one:
        for number in range(60):
            producing.ask(number)
            producing.choose(number)
            time.sleep(0.02)
        until(lambda: sum(one.use.figures()["choices"].values()) == 60)
        one.stop()
    steps = read(options, UseTopic.DESK_STEPS, 1)
    oldest = checkpoint.meta(options.folder, checkpoint.every(options.folder)[-1].name)
    assert steps[0].offset == oldest["steps"] - 1 > 0
    assert Step.read(steps[-1].value).ends == {
        tuple(place): at
        for *place, at in checkpoint.meta(options.folder, checkpoint.every(options.folder)[0].name)[
            "ends"
        ]
    }


def test_without_its_folder_a_use_learns_again_and_says_nothing_twice(
    options: UseOptions, producing: Producing
) -> None:
    """Its machine is gone, and the first steps are removed."""
    with running(options) as one:
        ask_and_choose(producing)
        until(lambda: sum(one.use.figures()["choices"].values()) == 60)
        one.stop()
    assert read(options, UseTopic.DESK_STEPS, 1)[0].offset > 0
    told = len(answers(options))
    elsewhere = replace(options, folder=LocalFolder(Path(f"{options.folder.address}-elsewhere")))
    with running(elsewhere) as again:
        producing.ask(60)
        until(lambda: len(answers(options)) == told + 1)
        again.stop()
    assert sum(again.use.figures()["choices"].values()) == 60
