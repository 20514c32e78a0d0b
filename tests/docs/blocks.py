"""The fenced blocks of README and docs, and what becomes of each: run, held by another test, or
named with the reason why it is not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tests.docs.commands import DOCUMENTS, ROOT

__all__ = ["ALL", "ELSEWHERE", "LANGUAGES", "NOT_RUN", "PROGRAMS", "Block", "blocks_of", "to_run"]

PROGRAMS = ("bash", "python")
"""What this folder runs."""
LANGUAGES = {*PROGRAMS, "console", "text", "json", "toml", "javascript", "go", "java", "sh"}
_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)

ELSEWHERE = {
    ("docs/attacks.md", "json"): "tests/upwell/controls/test_rules.py",
    ("docs/gateway.md", "bash"): "tests/e2e/gateway/test_calls_live.py",
    ("docs/cli.md", "bash"): "tests/docs/test_commands.py",
    ("docs/clients.md", "javascript"): "tests/examples/test_clients.py",
    ("docs/clients.md", "go"): "tests/examples/test_clients.py",
    ("docs/clients.md", "java"): "tests/examples/test_clients.py",
    ("docs/clients.md", "sh"): "tests/examples/test_clients.py",
    ("docs/events.md", "json"): "tests/stream/test_versions.py",
    ("docs/import.md", "toml"): "tests/docs/test_blocks.py",
    ("docs/policy.md", "toml"): "tests/docs/test_blocks.py",
    ("docs/overrides.md", "console"): "tests/stream/ops/commands/audit/test_audit.py",
    ("docs/overrides.md", "json"): "tests/upwell/controls/test_rules.py",
    ("docs/reasons.md", "toml"): "tests/docs/test_blocks.py",
    ("docs/explain.md", "console"): "tests/stream/ops/commands/explain, tests/stream/ops/card",
    ("docs/review.md", "console"): "tests/stream/ops/commands/review/test_review.py",
}
"""Page and language, and the test that has all such blocks of it."""

NOT_RUN = {
    "README.md": {
        "make demo": "the whole log takes minutes: tests/docs/test_demo.py plays a short one by "
        "the same command, tests/stream/ops starts the page behind it",
    },
    "CONTRIBUTING.md": {"make setup": "they run this very test, and tests/docs/test_site.py"},
    "docs/tutorial.md": {
        "pip install": "until Ctrl-C: tests/e2e/test_second_engine.py; tests/test_packaging.py "
        "installs the wheel",
        "upwell serve": "until Ctrl-C: tests/stream/ops",
    },
    "docs/gateway.md": {"$ pip install": "until Ctrl-C: tests/stream/ops"},
    "docs/operations.md": {
        "$ upwell dead-letters": "of a letter at another offset: tests/e2e/test_dead_letters.py "
        "shows and replays one",
    },
    "docs/backup.md": {
        "upwell snapshot": "an engine, and a second one on its data: tests/e2e/test_snapshot.py, "
        "tests/e2e/test_snapshot_running.py",
    },
    "docs/upgrade.md": {"upwell doctor": "until Ctrl-C: tests/stream/ops has the doctor"},
    "docs/scaling.md": {
        "export UPWELL_KAFKA": "a second machine, a Qdrant server and an object store: "
        "tests/e2e/test_hosts.py has two folders for the machines",
        "export UPWELL_ENCODED_BY": "a second machine: tests/e2e/apart has processes for it",
        "kubectl create": "no cluster is at hand: tests/infra/test_kubernetes.py holds the files "
        "to their schemas",
    },
    "docs/encoder.md": {
        "hf download": "another model, from the internet",
        "export UPWELL_ENCODER": "that model: tests/stream/test_versions.py has the start on the "
        "old topics refused",
    },
    "docs/federated.md": {
        "pip install": "three machines: tests/e2e/federated has their processes",
    },
    "docs/pictures.md": {
        "pip install": "another model, from the internet: tests/encoders/pictures has small ones",
        "export UPWELL_IMAGE_ENCODER": "that model: tests/stream/ops/test_doctor_pictures.py",
        "upwell pictures fit": "that model: tests/stream/ops/commands/encoders/test_pictures.py, "
        "tests/e2e/catalogue/test_pictures.py has the engine",
        "python -m bench.pictures.run": "fetches 81 MB from registries",
    },
    "docs/understanding.md": {
        "pip install": "minutes of a language model's training: "
        "tests/stream/ops/commands/encoders/test_adapt.py has a small one",
        "zcat data": "the same, for longer: tests/stream/ops/commands/encoders/test_adapt.py",
        "upwell encoder try": "beside a running engine: "
        "tests/stream/ops/commands/encoders/test_encoder.py has the topics, tests/e2e the engine",
        "upwell encoder learn": "until Ctrl-C, and a language model's training: "
        "tests/e2e/test_encoder_learns.py has a round of a small one beside the engine",
    },
    "docs/protect.md": {
        "export UPWELL_GATEWAY_APP_TOKEN": "until Ctrl-C, where others reach it: tests/gateway",
        "export UPWELL_KAFKA": "a Kafka with TLS and logins: tests/security/test_kafka_login.py",
        "export UPWELL_STORE": "a Qdrant server with TLS: tests/store/test_server_tls.py",
    },
    "docs/privacy.md": {
        "upwell export": "the data folder of an engine, with its key: "
        "tests/stream/ops/commands/users/test_export.py",
        "upwell relearn": "an engine that runs: tests/stream/ops/commands/users/test_relearn.py",
    },
    "docs/private.md": {
        "UPWELL_PRIVATE_EPSILON": "until Ctrl-C, then minutes of a demo: "
        "tests/stream/learn/test_budget.py, tests/stream/ops/commands/trust/test_privacy.py",
    },
    "docs/policy.md": {
        "upwell policy": "a log of one's own: tests/stream/ops/commands/trust/test_policy.py",
        "upwell harm": "labelled texts of one's own: tests/stream/ops/commands/trust/test_harm.py",
    },
    "docs/tracing.md": {
        "UPWELL_TRACE=": "until Ctrl-C: tests/e2e/watched/test_tracing.py has a collector",
        "UPWELL_TRACK=": "hours, then until Ctrl-C: tests/stream/ops/commands/encoders/"
        "test_adapt.py and tests/bench/results have small ones",
    },
    "docs/signal.md": {"make bench": "a quarter of an hour: tests/bench has the parts"},
    "docs/tune.md": {
        "pip install": "hours of search: tests/stream/ops/commands/test_tune.py has a small log",
    },
    "docs/uses/support.md": {
        "pip install": "until Ctrl-C: tests/e2e/uses/test_desk.py",
        "from upwell.settings": "of a desk that runs: the same words in "
        "tests/upwell/uses/test_client.py",
    },
    "docs/uses/opinion.md": {
        "pip install": "until Ctrl-C: tests/e2e/uses/test_watch.py",
        "from upwell": "its alerts come when something has changed: "
        "tests/upwell/uses/test_watch_client.py",
    },
    "docs/release.md": {
        "uv build": "the whole of a release: tests/test_packaging.py builds and installs the wheel",
    },
}
"""By page how a block begins, and why nothing runs it, with the test that comes nearest."""


@dataclass(frozen=True, slots=True)
class Block:
    """page: from the root of the repository. number: from 1, among the blocks of its page."""

    page: str
    number: int
    language: str
    body: str

    def excused(self) -> bool:
        """Whether it is named in `NOT_RUN`."""
        return any(map(self.body.startswith, NOT_RUN.get(self.page, ())))


def blocks_of(path: Path) -> Iterator[Block]:
    """In their order, also those within lists."""
    page = str(path.relative_to(ROOT))
    for number, (_, language, body) in enumerate(_FENCE.findall(path.read_text()), 1):
        yield Block(page, number, language.strip(), dedent(body))


ALL = [block for path in DOCUMENTS for block in blocks_of(path)]


def to_run(page: str) -> list[Block]:
    """The blocks of a page that this folder runs."""
    return [
        block
        for block in ALL
        if block.page == page
        and block.language in PROGRAMS
        and (page, block.language) not in ELSEWHERE
        and not block.excused()
    ]
