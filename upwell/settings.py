"""Settings: one frozen value, read once at the edge from `UPWELL_*` variables and an optional
`upwell.toml`. Secrets never print.

A field's variable is `UPWELL_` and its name in capitals; in the file it stands under its group:

    [kafka]
    address = "10.0.0.7:9092"          # UPWELL_KAFKA
    [learner]
    cold_item_weight = 3               # UPWELL_COLD_ITEM_WEIGHT
"""

from __future__ import annotations

import math
import re
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from upwell.errors import SettingsError
from upwell.secret import Secret
from upwell.setting_values import Field, parse

__all__ = [
    "EncoderSettings",
    "KafkaSettings",
    "LearnerSettings",
    "PrivacySettings",
    "Settings",
    "StoreSettings",
    "StreamSettings",
    "describe_settings",
    "load_settings",
]

PREFIX = "UPWELL_"
ELSEWHERE = frozenset({"UPWELL_CACHE", "UPWELL_TEST_QDRANT_URL", "UPWELL_TRACEBACK"})
"""Variables that are no settings of a worker."""
ADDRESS = re.compile(r"[^\s/:@]+:\d{1,5}|\[[0-9A-Fa-f:]+\]:\d{1,5}")


def _named(
    variable: str, default: Any = None, above: float = -math.inf, below: float = math.inf
) -> Any:
    """A field whose variable is not its own name, or that is bounded (ends included)."""
    return field(default=default, metadata={"variable": variable, "above": above, "below": below})


def _bounded(default: float, above: float, below: float = math.inf) -> Any:
    return field(default=default, metadata={"above": above, "below": below})


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """address: `host:port`, several with commas; None starts a broker on this machine."""

    address: str | None = _named("KAFKA")
    prefix: str = "upwell."
    partitions: int = _bounded(4, 1, 1_000)
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: Secret | None = None
    ssl_cafile: str | None = None


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """kind: `edge` is Qdrant in this process, `server` a Qdrant server at `url`, `memory` forgets
    all at the end.

    An `url` of https is over TLS; `cafile`: PEM of a private authority that signed the server's
    certificate. grpc_port: of the server, on the url's host.
    """

    kind: Literal["memory", "edge", "server"] = _named("STORE", "edge")
    url: str | None = _named("QDRANT_URL")
    api_key: Secret | None = _named("QDRANT_API_KEY")
    cafile: str | None = _named("QDRANT_CAFILE")
    grpc_port: int = _named("QDRANT_GRPC_PORT", 6334, 1, 65_535)


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """model: a name or a folder. cache_entries: vectors kept by content."""

    model: str = _named("ENCODER", "all-MiniLM-L6-v2")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    cache_entries: int = _bounded(100_000, 0)


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """key: hex, at least 32 bytes; None makes one and keeps it in the data folder."""

    key: Secret | None = field(default=None, metadata={"hex_bytes": 32})


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """batch_events, batch_ms: a micro-batch is at most so many events, or what so many ms brought.
    history, had: kept a user.

    hot_users: states kept in memory. catalogue_items: new items beyond these are dead letters.
    dedup_window: event ids kept a worker. bounce_ms: a view shorter than this is a bounce.
    bot_events: a user with more events in a minute of event time is a bot; 0 is off. instance: this
    worker's name in its group.
    """

    batch_events: int = _bounded(256, 1, 10_000)
    batch_ms: int = _bounded(5, 1, 10_000)
    list_k: int = _bounded(10, 1, 100)
    history: int = _bounded(200, 50, 1_000)
    had: int = _bounded(10_000, 100, 1_000_000)
    hot_users: int = _bounded(50_000, 1)
    catalogue_items: int = _bounded(200_000, 1)
    dedup_window: int = _bounded(100_000, 0)
    bounce_ms: int = _bounded(500, 0)
    bot_events: int = _bounded(0, 0)
    instance: str = "serve-0"


@dataclass(frozen=True, slots=True)
class LearnerSettings:
    """test_sample: share of the targets that are tested (by lot). neighbours: kept an
    item in each table.

    cold_item_weight: how much more a target on a new item teaches (the price of cold items:
    docs/quality.md). bounded_influence: an event of a user with a short past counts less
    (docs/decisions/0014). candidates: of each signal. search_weight: of the intent in a list that
    answers a user's own words. explore: share of the lists whose last place shows a new item by lot
    (docs/exploration.md). publish_ms, checkpoint_examples: how often the learner publishes and
    saves. warmup_examples: the figures start after so many. fused_every, fused_steps: after so many
    examples, so many steps of training.
    """

    seed: int = 7
    test_sample: float = _bounded(1.0, 0.0, 1.0)
    neighbours: int = _bounded(256, 8, 4_096)
    cold_item_weight: float = _bounded(1.25, 0.0, 100.0)
    bounded_influence: bool = False
    candidates: int = _bounded(30, 1, 1_000)
    search_weight: float = _bounded(3.0, 0.0, 100.0)
    explore: float = _bounded(0.05, 0.0, 0.5)
    fused: bool = True
    fused_every: int = _bounded(256, 1)
    fused_steps: int = _bounded(2, 1, 1_000)
    adversarial: Literal["off", "fgsm", "vat"] = "off"
    adversarial_epsilon: float = _bounded(0.1, 0.0)
    self_supervised: bool = False
    self_supervised_weight: float = _bounded(0.1, 0.0)
    propensity: bool = False
    propensity_clip: float = _bounded(10.0, 1.0)
    rating_head: bool = False
    publish_ms: int = _bounded(1_000, 1)
    checkpoint_examples: int = _bounded(20_000, 1)
    warmup_examples: int = _bounded(0, 0)
    intent_half_life_days: float = _bounded(30.0, 0.001)


@dataclass(frozen=True, slots=True)
class Settings:
    """data: the folder of everything kept on this machine."""

    kafka: KafkaSettings = KafkaSettings()
    store: StoreSettings = StoreSettings()
    encoder: EncoderSettings = EncoderSettings()
    privacy: PrivacySettings = PrivacySettings()
    stream: StreamSettings = StreamSettings()
    learner: LearnerSettings = LearnerSettings()
    data: Path = Path(".upwell")


def load_settings(environ: Mapping[str, str], toml_path: Path | None = None) -> Settings:
    """Variables over the file over the defaults; an empty variable counts as unset.

    Raises `SettingsError` naming what is wrong and what would be right.
    """
    from_file = _read_toml(toml_path) if toml_path is not None else {}
    from_environ = {
        name: text
        for name, text in environ.items()
        if text and name.startswith(PREFIX) and name not in ELSEWHERE
    }
    known = {one.variable: one for one in _all_fields()}
    _refuse_unknown(from_environ, known, "variable")
    _refuse_unknown(from_file, {one.key: one for one in known.values()}, f"key in {toml_path}")
    given: dict[str | None, dict[str, Any]] = {}
    for one in known.values():
        if one.variable in from_environ:
            given.setdefault(one.group, {})[one.name] = parse(
                one, from_environ[one.variable], one.variable
            )
        elif one.key in from_file:
            given.setdefault(one.group, {})[one.name] = parse(
                one, from_file[one.key], f"{one.key} in {toml_path}"
            )
    groups = {
        one.name: _hints(Settings)[one.name](**given.get(one.name, {}))
        for one in fields(Settings)
        if one.name in _groups()
    }
    settings = Settings(**groups, **given.get(None, {}))
    _refuse_disagreement(settings)
    return settings


def describe_settings(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """(variable, value with secrets masked, `default` or `set`) of every setting."""
    defaults = Settings()
    for one in _all_fields():
        value = (
            getattr(getattr(settings, one.group), one.name)
            if one.group
            else getattr(settings, one.name)
        )
        default = (
            getattr(getattr(defaults, one.group), one.name)
            if one.group
            else getattr(defaults, one.name)
        )
        yield (
            one.variable,
            "–" if value is None else str(value),
            "default" if value == default else "set",
        )


def _hints(owner: type) -> dict[str, Any]:
    return typing.get_type_hints(owner)


def _groups() -> dict[str, type]:
    return {
        name: kind
        for name, kind in _hints(Settings).items()
        if isinstance(kind, type) and is_dataclass(kind)
    }


def _all_fields() -> Iterator[Field]:
    owners: list[tuple[str | None, type]] = [*_groups().items(), (None, Settings)]
    for group, owner in owners:
        for one in fields(owner):
            if one.name not in _groups():
                meta = one.metadata
                variable = PREFIX + meta.get("variable", one.name.upper())
                kind = _hints(owner)[one.name]
                yield Field(
                    group,
                    one.name,
                    variable,
                    kind,
                    meta.get("above", -math.inf),
                    meta.get("below", math.inf),
                    meta.get("hex_bytes"),
                )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"settings file {path} cannot be read: {exc}") from exc
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"settings file {path} is no TOML: {exc}") from exc
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= (
            {f"{name}.{inner}": one for inner, one in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
    return flat


def _refuse_disagreement(settings: Settings) -> None:
    """What is right by itself and wrong together."""
    kafka, store = settings.kafka, settings.store
    if store.kind == "server" and store.url is None:
        raise SettingsError(
            "UPWELL_STORE is server: set UPWELL_QDRANT_URL to its address, http://host:port"
        )
    if (
        store.url is not None
        and "@" in urlsplit(store.url if "//" in store.url else f"//{store.url}").netloc
    ):
        raise SettingsError(
            "UPWELL_QDRANT_URL holds a user or a password, which would be shown: leave "
            "them out, set UPWELL_QDRANT_API_KEY"
        )
    if kafka.security_protocol.startswith("SASL") and not (
        kafka.sasl_username and kafka.sasl_password
    ):
        raise SettingsError(
            f"UPWELL_SECURITY_PROTOCOL is {kafka.security_protocol}: it needs "
            "UPWELL_SASL_USERNAME and _PASSWORD"
        )
    if kafka.address is not None and not all(
        ADDRESS.fullmatch(one.strip()) for one in kafka.address.split(",")
    ):
        shown = re.sub(r"[^\s/,]*@", "…@", kafka.address)  # of a user and a password nothing
        raise SettingsError(
            f"UPWELL_KAFKA is {shown!r}: must be host:port, several with commas (127.0.0.1:9092)"
        )


def _refuse_unknown(given: Mapping[str, Any], known: Mapping[str, Field], what: str) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise SettingsError(
                f"unknown {what}: {name}"
                + (f"; did you mean {near[0]}?" if near else "; see upwell doctor for all")
            )
