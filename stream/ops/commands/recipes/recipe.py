"""`upwell recipe`: a stream of one kind, run inline, and what lists are worth on it."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from stream.ops.commands.command import Json, faults, interruptible, print_json, shown, tell
from stream.replay.log import LogRecord
from upwell.errors import LogError
from upwell.system.files import write_whole

if TYPE_CHECKING:
    from encoders.cache import CachingEncoder

__all__ = ["recipe"]

_EACH = 1_000


def recipe(
    name: Annotated[str | None, typer.Argument(help="Which one; without, they are listed.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Where a recipe's own data lies, as its page says."),
    ] = None,
    events: Annotated[
        int | None, typer.Option(help="At most; else the recipe's own number.", min=100)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of every draw.", min=0)] = 7,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the recipe's log to this new file, and run nothing."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a stream of one kind (a shop, news, music, …) in this process, without a broker: its
    lists beside those of named peers, in a table, and the same as JSON in the last line.
    """
    from stream.replay.recipes.folder import environment_of, find
    from stream.replay.recipes.recipe import Asked
    from stream.replay.recipes.told import recipe_json, recipe_table

    with faults(), interruptible():
        started = time.monotonic()
        if name is None:
            _list(as_json)
            return
        found = find(name)
        source = found.read(Asked(data, events, seed))
        screen = shown(stderr=as_json)
        screen.print(source.said, markup=False, highlight=False, soft_wrap=True)
        if out is not None:
            _write(out, source.records)
            return
        environment = environment_of(name, os.environ)
        with closing(_encoder(environment)) as encoder:
            outcome = found.play(source, environment, encoder, _moved(len(source.records)))
        screen.print(recipe_table(outcome))
        print_json(recipe_json(name, source.said, seed, time.monotonic() - started, outcome))


def _list(as_json: bool) -> None:
    from stream.replay.recipes.folder import find, names

    about = {name: find(name).about for name in names()}
    if as_json:
        print_json({"recipes": about})
        return
    for name, words in about.items():
        shown(stderr=False).print(f"{name:<10} {words}", markup=False, highlight=False)


def _encoder(environment: Mapping[str, str]) -> CachingEncoder:
    """Of the settings, with the vectors of the catalogue that serve keeps. Raises
    `EncoderError`.
    """
    from encoders import kept_folder, load_encoder
    from upwell.settings import load_settings

    told = load_settings(environment, None).encoder
    return load_encoder(
        told.model,
        device=told.device,
        engine=told.engine,
        cache_entries=told.cache_entries,
        threads=told.threads,
        vectors=kept_folder(told.vectors),
        vectors_bytes=told.vectors_mb * 1_000_000,
    )


def _moved(records: int) -> Callable[[int], None]:
    """Says now and then how far a run is."""
    said = 0

    def moved(done: int) -> None:
        nonlocal said
        if done - said >= _EACH:
            said = done
            tell(f"{done:,} of {records:,} records")

    return moved


def _write(path: Path, records: Sequence[LogRecord]) -> None:
    """As `upwell replay` reads it. Raises `LogError` where there is something already."""
    if path.exists():
        raise LogError(f"{path} is there already: name a new file")
    lines = b"".join(
        orjson.dumps(
            {
                "topic": one.topic,
                "key": None if one.key is None else one.key.decode(),
                "value": orjson.loads(one.value),
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for one in records
    )
    write_whole(path, gzip.compress(lines, mtime=0) if path.suffix == ".gz" else lines)
    tell(f"written to {path}: {len(records):,} records; `upwell replay {path}` plays them")
