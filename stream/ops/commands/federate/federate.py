"""`upwell federate`: many logs, one model, and no event leaves the machine that it lies on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from stream.ops.commands.command import (
    Json,
    faults,
    interruptible,
    print_json,
    settings,
    tell,
)
from stream.ops.commands.help import add, new_app
from stream.ops.commands.play import Log
from upwell.errors import SettingsError

__all__ = ["federate_app"]

LEAST_SECRET = 32
AGGREGATES = ("mean", "trimmed-mean", "krum")
Ca = Annotated[Path | None, typer.Option("--tls-ca", help="PEM of who signed the others.")]
Certificate = Annotated[Path | None, typer.Option("--tls-cert", help="PEM of this process.")]
Key = Annotated[Path | None, typer.Option("--tls-key", help="PEM of its private key.")]


def server(
    clients: Annotated[int, typer.Option(help="That the first round waits for.", min=1)],
    rounds: Annotated[int, typer.Option(help="In all, those of an earlier run included.", min=1)],
    out: Annotated[Path, typer.Option(help="Models folder; a run that was ended goes on there.")],
    listen: Annotated[str, typer.Option(help="host:port.")] = "127.0.0.1:8470",
    aggregate: Annotated[
        str, typer.Option(help="`mean`, `trimmed-mean` or `krum`.")
    ] = "trimmed-mean",
    liars: Annotated[int, typer.Option(help="Clients that may lie.", min=0)] = 1,
    least: Annotated[int, typer.Option(help="Reports without which no round ends.", min=1)] = 1,
    deadline: Annotated[
        float, typer.Option(help="Seconds that a round waits for clients that lag.", min=0.1)
    ] = 600.0,
    secure: Annotated[
        bool, typer.Option("--secure", help="Know the sum of all reports alone; `mean` only.")
    ] = False,
    tls_ca: Ca = None,
    tls_cert: Certificate = None,
    tls_key: Key = None,
    as_json: Json = False,
) -> None:
    """Gather what clients learned into one model, round after round, without their events."""
    with faults(), interruptible():
        from encoders.load import model_dimension, model_revision
        from learner.federated.options import Options
        from stream.federate.cell import Tls, load_flare
        from stream.federate.server import FederatedServer

        load_flare()
        own = settings()
        if aggregate not in AGGREGATES:
            raise SettingsError(f"--aggregate is {aggregate!r}: one of {', '.join(AGGREGATES)}")
        try:
            options = Options(clients, rounds, least, deadline, aggregate, liars, secure)
        except ValueError as exc:
            raise SettingsError(str(exc)) from exc
        model = own.encoder.model
        encoder = model_revision(model), model_dimension(model)
        gathering = FederatedServer(out, own.learner, encoder, options, tell)
        tell(f"listens on {listen}, for {clients} clients and {rounds} rounds")
        found = gathering.run(listen, Tls(tls_ca, tls_cert, tls_key))
        if as_json:
            print_json(found)
        else:
            tell(f"{found['rounds']} rounds of {found['events']:,} events: {found['out']}")


def client(
    log: Log,
    server: Annotated[str, typer.Option(help="host:port of the server.")],
    name: Annotated[str, typer.Option(help="Of this client, the same after each start.")],
    clip: Annotated[
        float | None, typer.Option(help="With --noise: the norm that a report has at most.")
    ] = None,
    noise: Annotated[
        float | None, typer.Option(help="Standard deviation on each number, in clips.")
    ] = None,
    secret: Annotated[
        Path | None,
        typer.Option(help="File that all clients have and the server has not, for --secure there."),
    ] = None,
    patience: Annotated[
        float, typer.Option(help="Seconds that the server may be away.", min=0.0)
    ] = 600.0,
    tls_ca: Ca = None,
    tls_cert: Certificate = None,
    tls_key: Key = None,
    as_json: Json = False,
) -> None:
    """Learn from a log with others, who never see it: a stretch of it a round."""
    with faults(), interruptible():
        from encoders import kept_folder, load_encoder
        from encoders.load import model_revision
        from learner.federated.private import Privacy
        from learner.federated.site import Site
        from stream.federate.cell import ClientCell, Tls
        from stream.federate.client import FederatedClient, Hiding
        from stream.federate.log import open_log
        from stream.replay.inline import InlineEngine

        own, privacy = settings(), None
        if (clip is None) != (noise is None):
            raise SettingsError("--clip and --noise go together")
        if clip is not None and noise is not None:
            try:
                privacy = Privacy(clip, noise)
            except ValueError as exc:
                raise SettingsError(str(exc)) from exc
        hiding = Hiding(privacy, _secret(secret))
        if hiding.privacy is not None and hiding.secret is not None:
            raise SettingsError("--noise and --secret do not go together: take either")
        told, read = own.encoder, open_log(log)
        with (
            closing(ClientCell(server, name, Tls(tls_ca, tls_cert, tls_key))) as cell,
            closing(
                load_encoder(
                    told.model,
                    device=told.device,
                    engine=told.engine,
                    cache_entries=told.cache_entries,
                    threads=told.threads,
                    vectors=kept_folder(told.vectors),
                    vectors_bytes=told.vectors_mb * 1_000_000,
                )
            ) as encoder,
        ):
            revision = model_revision(told.model)
            engine = InlineEngine(own, encoder)
            site = Site(engine.learner, read.texts)
            found = FederatedClient(
                cell, engine, site, read, revision, hiding, tell, patience
            ).run()
        if as_json:
            print_json(found)
        else:
            tell(f"{found['rounds']} rounds, {found['taken']} of them with what was learned here")


def _secret(file: Path | None) -> bytes | None:
    """Raises `SettingsError` where it is too short to be one."""
    if file is None:
        return None
    found = file.read_bytes().strip()
    if len(found) < LEAST_SECRET:
        raise SettingsError(
            f"{file} has {len(found)} bytes, a secret at least {LEAST_SECRET}: "
            "openssl rand -hex 32 makes one"
        )
    return found


federate_app = new_app("federate", "One model of many logs that stay where they are.")
for path, command in (("federate server", server), ("federate client", client)):
    add(federate_app, path, command)
