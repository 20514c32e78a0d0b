"""Shared by all tests: one real broker and one language model a session, and a topic prefix of its
own for each test that uses the broker.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from upwell.ports import Encoder

KNOWN_WARNINGS = (
    # kafka-python 3.0.12 reads its own schemas by a function that Python 3.11 deprecates (and 3.13
    # has again)
    "ignore:(read|open)_text is deprecated:DeprecationWarning",
    # … and leaves the sockets of connections that it gave up (refused, closed by the broker, a
    # consumer closed while it joins) to the garbage collector
    r"ignore:unclosed <(socket.socket|ssl.SSLSocket) fd=\d+, family=2, type=1, proto=6, laddr="
    ":ResourceWarning",
)


def pytest_configure(config: pytest.Config) -> None:
    """Warnings are errors, but for those of other people's code that are listed here with their
    reason. No example of hypothesis fails by the clock: a busy machine or a kernel's first call.
    """
    for warning in KNOWN_WARNINGS:
        config.addinivalue_line("filterwarnings", warning)
    settings.register_profile(
        "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("any machine")
    # a run that found vectors of the one before would not see what the encoder does
    os.environ["UPWELL_VECTORS"] = "off"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a broker: `-m "not broker"` runs without Java."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.broker)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a real Apache Kafka on free loopback ports; started for the first test that
    asks.
    """
    from infra.kafka import KafkaBroker  # imported here, when the filters above hold

    with KafkaBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.address


@pytest.fixture(scope="session")
def language_model() -> Iterator[Encoder]:
    """The default encoder with its cache, loaded for the first test that asks."""
    from encoders import load_encoder
    from encoders.folder import DEFAULT_MODEL

    with closing(load_encoder(DEFAULT_MODEL)) as encoder:
        yield encoder


@pytest.fixture
def prefix() -> str:
    """No other test's topics begin with it."""
    return f"test-{uuid.uuid4().hex[:12]}."
