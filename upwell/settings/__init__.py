"""Settings: one frozen value, read once at the edge from `UPWELL_*` variables and an optional
`upwell.toml`; docs/settings.md lists them. This room knows nothing of what they are for: it holds
their names, their ranges and what is said of a wrong one. Secrets never print.
"""

from upwell.settings.exposure import Bound, exposure_bounds
from upwell.settings.face import (
    MetricsSettings,
    ReasonsSettings,
    TracingSettings,
    TrackingSettings,
)
from upwell.settings.gateway import GatewaySettings
from upwell.settings.groups import (
    EncoderSettings,
    KafkaSettings,
    PrivacySettings,
    Settings,
    StoreSettings,
)
from upwell.settings.learner import LearnerSettings
from upwell.settings.load import all_settings, describe_settings, load_settings, show_value
from upwell.settings.objectives import CLICK, OBJECTIVES, objective_weights
from upwell.settings.pictures import PictureSettings
from upwell.settings.private import PrivateSettings
from upwell.settings.segments import MOST_SEGMENTS, OTHER_USERS, segment_names
from upwell.settings.stream import StreamSettings
from upwell.settings.uses import UseSettings

__all__ = [
    "CLICK",
    "MOST_SEGMENTS",
    "OBJECTIVES",
    "OTHER_USERS",
    "Bound",
    "EncoderSettings",
    "GatewaySettings",
    "KafkaSettings",
    "LearnerSettings",
    "MetricsSettings",
    "PictureSettings",
    "PrivacySettings",
    "PrivateSettings",
    "ReasonsSettings",
    "Settings",
    "StoreSettings",
    "StreamSettings",
    "TracingSettings",
    "TrackingSettings",
    "UseSettings",
    "all_settings",
    "describe_settings",
    "exposure_bounds",
    "load_settings",
    "objective_weights",
    "segment_names",
    "show_value",
]
