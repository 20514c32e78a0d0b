"""What the manual says of `upwell federate`."""

from __future__ import annotations

from collections.abc import Mapping

from stream.ops.commands.entry import Entry
from upwell.system.exit_codes import ExitCode

__all__ = ["FEDERATE"]

FEDERATE: Mapping[str, Entry] = {
    "federate": Entry("upwell federate server --clients 8 --rounds 10 --out models"),
    "federate server": Entry(
        "upwell federate server --clients 8 --rounds 10 --out models --json",
        (ExitCode.ENCODER, ExitCode.MODEL),
        "what came of all rounds",
        {
            "rounds": "that are over",
            "clients": "that ever joined, by name",
            "items": "of all catalogues together",
            "events": "that clients' counts are of",
            "told": "how often clients joined, left, came again, reported, were waited for in "
            "vain, and were refused, by kind",
            "refusals": "the newest reason, by client",
            "out": "the models folder",
        },
    ),
    "federate client": Entry(
        "upwell federate client log.jsonl --server 10.0.0.1:8470 --name a",
        (ExitCode.BROKER, ExitCode.ENCODER, ExitCode.MODEL, ExitCode.LOG),
        "what came of all rounds here",
        {
            "rounds": "that are over",
            "taken": "rounds whose model has what this client reported",
            "reports": "that were `kept` or `refused`, of this process",
            "events": "that were learned here",
            "disputed": "items whose text is another one elsewhere: they stay here",
            "targets": "that were tested before they were learned, after the first round, by slice",
            "ndcg10": "of the lists made for them, by slice",
            "epsilon": "of differential privacy at δ = 10⁻⁵, of this process's reports; null "
            "without noise",
        },
    ),
}
