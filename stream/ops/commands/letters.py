"""`upwell dead-letters`: see what was no event, and send it again after a fix."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from stream.ops.commands.command import (
    Json,
    connected,
    faults,
    interruptible,
    print_json,
    shown,
    tell,
)
from stream.ops.commands.help import add, new_app
from upwell.client import client_options
from upwell.system.clock import now_ms

__all__ = ["letters_app"]

Reason = Annotated[str | None, typer.Option(help="Only letters of this reason.")]
OfTopic = Annotated[
    str | None, typer.Option("--topic", help="Only letters of this topic, without prefix.")
]
HELP_KEY = "topic-partition-offset, as `list` shows it."


def list_letters(reason: Reason = None, topic: OfTopic = None, as_json: Json = False) -> None:
    """The letters that wait: key, when, topic, reason, detail."""
    from stream.broker.dead_letters import Filter, read_letters
    from stream.replay.report import letters_table

    with faults(), interruptible():
        own = connected()
        found = Filter(reason, topic)(
            read_letters(client_options(own.kafka), own.kafka.prefix).values()
        )
        waiting = [letter for letter in found if letter.replayed_at is None]
        shown(stderr=as_json).print(letters_table(waiting, replayed=len(found) - len(waiting)))
        if as_json:
            rows = [
                {
                    "key": one.place,
                    "ts": one.ts,
                    "topic": one.topic,
                    "reason": one.reason,
                    "detail": one.detail,
                }
                for one in waiting
            ]
            print_json({"letters": rows, "replayed": len(found) - len(waiting)})


def show(key: Annotated[str, typer.Argument(help=HELP_KEY)], as_json: Json = False) -> None:
    """All that is known of one letter, its bytes readable."""
    from stream.broker.dead_letters import read_letters, the_letter
    from stream.replay.report import letter_text
    from upwell.codec import dead_letter_value

    with faults(), interruptible():
        own = connected()
        letter = the_letter(read_letters(client_options(own.kafka), own.kafka.prefix), key)
        shown(stderr=as_json).print(letter_text(letter), highlight=False, soft_wrap=True)
        if as_json:
            typer.echo(dead_letter_value(letter).decode())


def replay(
    keys: Annotated[list[str] | None, typer.Argument(help=HELP_KEY)] = None,
    every: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    reason: Reason = None,
    topic: OfTopic = None,
    as_json: Json = False,
) -> None:
    """Send letters to their topics again, once.

    What is still no event comes back as a new letter.
    """
    from stream.broker.dead_letters import Filter, chosen, read_letters, replay_letters

    if not (keys or every or reason or topic):
        raise typer.BadParameter("name the letters: KEY …, --reason, --topic or --all")
    with faults(), interruptible():
        own = connected()
        options, prefix = client_options(own.kafka), own.kafka.prefix
        letters = chosen(read_letters(options, prefix), keys or (), Filter(reason, topic))
        done = replay_letters(options, prefix, letters, now_ms())
        for place, why in done.skipped.items():
            tell(f"{place} is not sent: {why}")
        hint = "; what is still no event is soon in `upwell dead-letters list`" if done.sent else ""
        tell(f"{len(done.sent)} sent again{hint}")
        if as_json:
            print_json(asdict(done))


letters_app = new_app("dead-letters", "Records that were no events: see them, send them again.")
add(letters_app, "dead-letters list", list_letters)
add(letters_app, "dead-letters show", show)
add(letters_app, "dead-letters replay", replay)
