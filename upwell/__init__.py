"""Upwell: events in over Kafka, fresh recommendation lists with reasons out. Apps import this; it
loads no model.
"""

from upwell.async_client import AsyncUpwellClient
from upwell.client import UpwellClient, find_broker
from upwell.errors import BrokerError, InvalidEventError, SettingsError, UpwellError
from upwell.events import (
    Action,
    Click,
    Control,
    ControlKind,
    Event,
    Impression,
    Item,
    Knowledge,
    KnowledgeKind,
    Query,
    Request,
    Review,
    Topic,
)
from upwell.reasons import Sentences
from upwell.recommendations import DeadLetter, Entry, Reason, Recommendations
from upwell.settings import Settings, load_settings

__all__ = [
    "Action",
    "AsyncUpwellClient",
    "BrokerError",
    "Click",
    "Control",
    "ControlKind",
    "DeadLetter",
    "Entry",
    "Event",
    "Impression",
    "InvalidEventError",
    "Item",
    "Knowledge",
    "KnowledgeKind",
    "Query",
    "Reason",
    "Recommendations",
    "Request",
    "Review",
    "Sentences",
    "Settings",
    "SettingsError",
    "Topic",
    "UpwellClient",
    "UpwellError",
    "find_broker",
    "load_settings",
]
