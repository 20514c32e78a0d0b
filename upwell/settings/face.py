"""Settings of what others see of Upwell: figures for Prometheus, traces, how learning goes, reasons
for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from upwell.settings.values import setting

__all__ = ["MetricsSettings", "ReasonsSettings", "TracingSettings", "TrackingSettings"]


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Where Prometheus finds what the workers say of themselves."""

    port: int = setting(
        0,
        "where serve answers `GET /metrics`, learn on the next one, the gateway on the one after "
        "(docs/metrics.md); 0 is off",
        "operator",
        "port",
        variable="METRICS_PORT",
        above=0,
        below=65_533,
    )
    host: str = setting(
        "127.0.0.1",
        "the address that they listen on; whoever reaches it may read, no figure names a user",
        "operator",
        "address or name",
        variable="METRICS_HOST",
    )


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """Which events are followed from the app to their list."""

    share: float = setting(
        0.0,
        "of events without a trace of their own that begin one; one that an app began is continued "
        "wherever this is above 0; 0 is off. Where spans go is told by OpenTelemetry's own "
        "variables, OTEL_* (docs/tracing.md)",
        "operator",
        "share",
        variable="TRACE",
        above=0,
        below=1,
    )


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """Where learn's figures are kept as curves, and runs of benches, `tune` and `adapt`."""

    to: str | None = setting(
        None,
        "what keeps the curves of losses, quality and weights, and each run of a bench, of "
        "`upwell tune` and of `upwell adapt`, and the folder that it is given; unset is off "
        "(docs/tracing.md)",
        "tuner",
        "tensorboard:FOLDER, mlflow:FOLDER or wandb:FOLDER",
        variable="TRACK",
    )
    seconds: float = setting(
        30.0,
        "between two points of a curve of learn",
        "tuner",
        "seconds",
        variable="TRACK_SECONDS",
        above=1,
    )


@dataclass(frozen=True, slots=True)
class ReasonsSettings:
    """How lists explain themselves to people: `upwell watch` and the demo, and apps that ask."""

    language: str = setting(
        "en", "of the sentences: de, en, or one that the file of UPWELL_REASONS has", "tuner", "tag"
    )
    file: Path | None = setting(
        None,
        "sentences of one's own over the shipped ones (docs/reasons.md)",
        "tuner",
        "file in TOML",
        variable="REASONS",
    )
