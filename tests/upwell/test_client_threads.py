"""In an app: a thread of the Kafka client that is gone is heard of by the call that needs it, and
the app goes on.
"""

from __future__ import annotations

import subprocess
import sys

from stream.broker.topics import ensure_topics

SENDER_GONE = """
import os, sys
from upwell import BrokerError, UpwellClient
from upwell.settings import KafkaSettings
client = UpwellClient(sys.argv[1], KafkaSettings(prefix=sys.argv[2]))
client.click("ann", "item-7")
client.flush()
sender = client._producer._sender
def gone():
    raise SystemExit  # no `Exception`: kafka-python's loop does not survive it
sender.run_once = gone
sender.wakeup()
sender.join()
client.click("ann", "item-8")
try:
    client.flush(timeout=0.5)
except BrokerError as exc:
    print(exc, flush=True)
os._exit(3)  # the app's own end
"""


def test_a_sender_that_is_gone_is_a_broker_error_of_flush(kafka: str, prefix: str) -> None:
    ensure_topics(prefix, 4, {"bootstrap_servers": [kafka]})
    app = subprocess.run(
        [sys.executable, "-c", SENDER_GONE, kafka, prefix],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert app.stdout.startswith("events were not delivered: KafkaTimeoutError"), app.stderr
    assert app.returncode == 3
