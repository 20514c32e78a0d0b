"""The card as one JSON-ready object, gathered from a running engine. It reckons nothing that the
workers do not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import upwell
from learner.testing.figures import MODEL
from stream.broker.connect import client_options
from stream.broker.encoders.topic import read_lineage
from stream.broker.erasures.topic import read_ledger
from stream.metrics.record import told
from stream.ops.access.topics import read_topics
from stream.ops.card.data import LOOKED_AT, data_seen
from stream.ops.card.encoder import encoder_of
from stream.ops.top.fair import fairness_report
from stream.ops.top.look import looking
from stream.replay.progress import Moved, unwatched
from upwell.settings import Settings, describe_settings
from upwell.system.hardware import hardware

__all__ = ["NOT_FOR", "card", "card_of", "promises"]

Record = Mapping[str, Any]

NOT_FOR = (
    "deciding about people: credit, work, housing, insurance, health, law",
    "saying who somebody is, or guessing what they did not tell",
    "lists that must be the same for everybody, or in an order that somebody pays for unsaid",
    "a catalogue whose harm no list of terms names (docs/policy.md)",
)
"""What it is not made for, and nobody has measured."""
_MATTER = (
    *("UPWELL_EXPLORE", "UPWELL_EXPOSURE", "UPWELL_APPROVALS", "UPWELL_BOUNDED_INFLUENCE"),
    "UPWELL_FAIR_SEGMENTS",
    *("UPWELL_FUSED", "UPWELL_FATIGUE", "UPWELL_RETURNS", "UPWELL_POLICY", "UPWELL_EXPLAIN"),
    *("UPWELL_HISTORY", "UPWELL_LIST_K", "UPWELL_ENCODER", "UPWELL_IMAGE_ENCODER"),
)
"""Settings that are told though they are as shipped; all others where they were set."""


def card(settings: Settings, at_ms: int, moved: Moved = unwatched) -> dict[str, Any]:
    """at_ms: UTC ms, of the card. moved: is told of records read. Raises `BrokerError`."""
    client, prefix = client_options(settings.kafka), settings.kafka.prefix
    with looking(settings.kafka) as look:
        look.first_report()
        records = list(look.newest().values())
    lineage = read_lineage(client, prefix)
    model = settings.encoder.model if lineage.in_force is None else lineage.in_force.model
    return card_of(
        records,
        settings,
        encoder=encoder_of(model, _first(records, "serve", "encoder")),
        data=data_seen(read_topics(client, prefix, LOOKED_AT, moved)),
        forgotten=len(read_ledger(client, prefix) or {}),
        at_ms=at_ms,
    )


def card_of(
    records: Sequence[Record],
    settings: Settings,
    *,
    encoder: Mapping[str, Any],
    data: Mapping[str, Any],
    forgotten: int,
    at_ms: int,
) -> dict[str, Any]:
    """records: of `metrics`, the newest of each worker. What none of them says is None."""
    return {
        "at": at_ms,
        "versions": {
            "upwell": upwell.__version__ if hasattr(upwell, "__version__") else _installed(),
            "model": _first(records, "serve", "model_version"),
            "examples_learned": _first(records, "learn", "model_examples"),
            "workers": sorted(str(one["instance"]) for one in records),
            "processor_of_this_command": hardware(),
        },
        "encoder": dict(encoder),
        "data": dict(data),
        "settings": _settings(settings),
        "figures": _figures(records),
        "fairness": fairness_report({str(one["instance"]): one for one in records}),
        "privacy": _privacy(settings, forgotten),
        "promises": promises(),
        "not_for": list(NOT_FOR),
    }


def promises(page: Path | None = None) -> dict[str, list[str]]:
    """The rows and bullets of docs/trust.md, where it lies beside the code; else nothing."""
    path = page or Path(upwell.__file__).parents[1] / "docs" / "trust.md"
    if not path.is_file():
        return {"held": [], "not_promised": []}
    kept, _, limits = path.read_text(encoding="utf-8").partition("## What is not promised")
    rows = [line.split(" | ")[0].strip("| ") for line in kept.splitlines() if line[:2] == "| "]
    bullets = [line[2:] for line in limits.splitlines() if line.startswith("- ")]
    return {"held": rows[2:], "not_promised": bullets}


def _figures(records: Iterable[Record]) -> dict[str, Any]:
    """Of the learner that tested something: each target ranked before it was learned."""
    for one in records:
        ndcg10 = told(one, "ndcg10") if one["role"] == "learn" else {}
        if not any(model == MODEL for model, _ in ndcg10):
            continue
        own = {slice_: value for (model, slice_), value in ndcg10.items() if model == MODEL}
        peers: dict[str, dict[str, float]] = {}
        for (model, slice_), value in ndcg10.items():
            if model != MODEL:
                peers.setdefault(model, {})[slice_] = value
        hr10 = {
            slice_: value for (model, slice_), value in told(one, "hr10").items() if model == MODEL
        }
        targets = {slice_: int(value) for (slice_,), value in told(one, "targets").items()}
        return {"targets": targets, "ndcg10": own, "hr10": hr10, "peers_ndcg10": peers}
    return {"targets": None, "ndcg10": None, "hr10": None, "peers_ndcg10": None}


def _privacy(settings: Settings, forgotten: int) -> dict[str, Any]:
    return {
        "pseudonyms": "a keyed digest of each id; the key is "
        + ("of UPWELL_KEY" if settings.privacy.key is not None else "in the data folder"),
        "forgotten": forgotten,
        "lists_kept_hours": settings.stream.explain,
    }


def _settings(settings: Settings) -> dict[str, str]:
    return {
        variable: value
        for variable, value, origin in describe_settings(settings)
        if origin == "set" or variable in _MATTER
    }


def _first(records: Iterable[Record], role: str, name: str) -> Any:
    """What a worker of this role says; None where none does."""
    return next((one[name] for one in records if one["role"] == role and one.get(name)), None)


def _installed() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("upwell")
    except PackageNotFoundError:
        return None
