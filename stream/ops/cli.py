"""The command line: which commands there are. Each is thin, and a fault is one line and an exit
code of `upwell.system.exit_codes`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from rich.logging import RichHandler

from stream.ops.commands.audit.audit import audit_app
from stream.ops.commands.backup import restore, rollback, snapshot
from stream.ops.commands.check import doctor, evaluate
from stream.ops.commands.command import console
from stream.ops.commands.encoders.adapt import adapt
from stream.ops.commands.encoders.encoder import encoder_app
from stream.ops.commands.encoders.pictures import pictures_app
from stream.ops.commands.engine import run, worker_app
from stream.ops.commands.explain.card import card
from stream.ops.commands.explain.explain import explain
from stream.ops.commands.federate.federate import federate_app
from stream.ops.commands.gateway import serve
from stream.ops.commands.help import add, new_app
from stream.ops.commands.importing import import_command
from stream.ops.commands.letters import letters_app
from stream.ops.commands.lists import forget, recommend, watch
from stream.ops.commands.play import demo, replay
from stream.ops.commands.recipes.recipe import recipe
from stream.ops.commands.review.review import review_app
from stream.ops.commands.top import fairness, top
from stream.ops.commands.trust.harm import harm_app
from stream.ops.commands.trust.policy import policy
from stream.ops.commands.trust.privacy import privacy
from stream.ops.commands.tune import tune
from stream.ops.commands.users.export import export
from stream.ops.commands.users.relearn import relearn

__all__ = ["app", "main"]

app = new_app("", "Events in over Kafka, fresh lists out.", completion=True)
COMMANDS: Mapping[str, Callable[..., Any]] = {
    "demo": demo,
    "run": run,
    "serve": serve,
    "top": top,
    "fairness": fairness,
    "replay": replay,
    "import": import_command,
    "watch": watch,
    "recommend": recommend,
    "forget": forget,
    "export": export,
    "doctor": doctor,
    "snapshot": snapshot,
    "restore": restore,
    "rollback": rollback,
    "relearn": relearn,
    "evaluate": evaluate,
    "tune": tune,
    "adapt": adapt,
    "policy": policy,
    "explain": explain,
    "card": card,
    "recipe": recipe,
    "privacy": privacy,
}
for path, command in COMMANDS.items():
    add(app, path, command)
app.add_typer(worker_app, name="worker")
app.add_typer(letters_app, name="dead-letters")
app.add_typer(encoder_app, name="encoder")
app.add_typer(audit_app, name="audit")
app.add_typer(pictures_app, name="pictures")
app.add_typer(review_app, name="review")
app.add_typer(harm_app, name="harm")
app.add_typer(federate_app, name="federate")


def main() -> None:
    """The entry point `upwell`."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(name)s: %(message)s",
        handlers=[RichHandler(console=console, show_path=False)],
    )
    logging.getLogger("kafka").setLevel(
        logging.CRITICAL
    )  # it logs each try; what it gives up on is raised, and shown once
    for noisy in ("faust", "aiokafka", "mode", "numba", "httpx"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    app(prog_name="upwell")


if __name__ == "__main__":
    main()
