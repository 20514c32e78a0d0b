"""Where settings are read from: `UPWELL_*` variables over an optional `upwell.toml` over the
defaults.

What they are stands in `upwell.settings.groups`, a table of them in docs/settings.md. A setting's
variable is mostly `UPWELL_` and its name in capitals; in the file it stands under its group:

    [kafka]
    address = "10.0.0.7:9092"          # UPWELL_KAFKA
    [learner]
    cold_item_weight = 3               # UPWELL_COLD_ITEM_WEIGHT
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from upwell.errors import SettingsError
from upwell.settings.exposure import exposure_bounds
from upwell.settings.groups import Settings
from upwell.settings.objectives import objective_weights
from upwell.settings.segments import segment_names
from upwell.settings.values import Field, parse

__all__ = ["all_settings", "describe_settings", "load_settings", "show_value"]

PREFIX = "UPWELL_"
DEFAULTS = Settings()
ELSEWHERE = frozenset(
    {
        "UPWELL_CACHE",
        "UPWELL_TEST_QDRANT_API_KEY",
        "UPWELL_TEST_QDRANT_GRPC_PORT",
        "UPWELL_TEST_QDRANT_URL",
        "UPWELL_TRACEBACK",
    }
)
"""Variables that are no settings of a worker."""
TRACK = re.compile(r"(tensorboard|mlflow|wandb):.+")
ADDRESS = re.compile(r"[^\s/:@]+:\d{1,5}|\[[0-9A-Fa-f:]+\]:\d{1,5}")


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
    known = {one.variable: one for one in all_settings()}
    _refuse_unknown(from_environ, known, "variable")
    _refuse_unknown(from_file, {one.key: one for one in known.values()}, f"key in {toml_path}")
    given: dict[Any, dict[str, Any]] = {}
    for one in known.values():
        if one.variable in from_environ:
            given.setdefault(one.group, {})[one.name] = parse(
                one, from_environ[one.variable], one.variable
            )
        elif one.key in from_file:
            given.setdefault(one.group, {})[one.name] = parse(
                one, from_file[one.key], f"{one.key} in {toml_path}"
            )
    own = given.pop(None, {})
    groups = {group: replace(getattr(DEFAULTS, group), **more) for group, more in given.items()}
    settings = replace(DEFAULTS, **groups, **own)
    _refuse_disagreement(settings)
    return settings


def describe_settings(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """(variable, value with secrets masked, `default` or `set`) of every setting."""
    for one in all_settings():
        value = getattr(getattr(settings, one.group) if one.group else settings, one.name)
        origin = "default" if value == one.default else "set"
        yield one.variable, show_value(value), origin


def show_value(value: object) -> str:
    """A setting's value as a person would write it; – where it is unset."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "–" if value is None else str(value)


@cache
def all_settings() -> tuple[Field, ...]:
    """Every setting, by group, in the order of their definition."""
    groups = {one.name: type(one.default) for one in fields(Settings) if is_dataclass(one.default)}
    owners: list[tuple[str | None, type[Any]]] = [*groups.items(), (None, Settings)]
    return tuple(
        Field(
            group,
            one.name,
            PREFIX + (one.metadata["variable"] or one.name.upper()),
            kinds[one.name],
            default=one.default,
            **{name: told for name, told in one.metadata.items() if name != "variable"},
        )
        for group, owner in owners
        for kinds in [get_type_hints(owner)]
        for one in fields(owner)
        if one.name not in groups
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
    if settings.stream.instance == "learn":
        raise SettingsError(
            "UPWELL_INSTANCE is learn: that is the learner's name on `metrics`; set another"
        )
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
    if len(settings.learner.relations_apart) > 2:
        raise SettingsError(
            f"UPWELL_RELATIONS is {settings.learner.relations!r}: must be at most two names with a "
            "comma; the others are weighed as one"
        )
    exposure_bounds(settings.stream.exposure)
    segment_names(settings.learner.fair_segments)
    objective_weights(settings.learner.objectives)
    _refuse_beside_a_budget(settings)
    track = settings.tracking.to
    if track is not None and not TRACK.fullmatch(track):
        raise SettingsError(
            f"UPWELL_TRACK is {track!r}: must be tensorboard:FOLDER, mlflow:FOLDER or wandb:FOLDER"
        )
    if settings.models is not None and re.search(r"://[^/]*:[^/]*@", settings.models):
        raise SettingsError(
            "UPWELL_MODELS holds a password, which would be shown: leave it out, the store's own "
            "variables or files name it"
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


def _refuse_beside_a_budget(settings: Settings) -> None:
    """What would tell of users past it."""
    if settings.private.epsilon is None:
        return
    if settings.stream.exposure is not None:
        raise SettingsError(
            "UPWELL_EXPOSURE holds bounds by what all users were shown, without noise: unset it, "
            "or UPWELL_PRIVATE_EPSILON"
        )
    if settings.learner.fair_segments is not None:
        raise SettingsError(
            "UPWELL_FAIR_SEGMENTS tells figures of few users without noise: unset it, or "
            "UPWELL_PRIVATE_EPSILON"
        )
    if settings.learner.relearn:
        raise SettingsError(
            "UPWELL_RELEARN learns once more of all users, which would spend the budget a second "
            "time: unset it, or UPWELL_PRIVATE_EPSILON"
        )
    if settings.learner.objectives is not None:
        raise SettingsError(
            "UPWELL_OBJECTIVES counts what users did after their clicks, without noise: unset it, "
            "or UPWELL_PRIVATE_EPSILON"
        )


def _refuse_unknown(given: Mapping[str, Any], known: Mapping[str, Field], what: str) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise SettingsError(
                f"unknown {what}: {name}"
                + (
                    f"; did you mean {near[0]}?"
                    if near
                    else "; `upwell doctor --settings` shows all"
                )
            )
