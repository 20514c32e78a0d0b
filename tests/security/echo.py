"""A Faust worker let in by the same functions as the serve worker, without model and learner: it
answers each request with an empty list.

python -m tests.security.echo: ends with its standard input, as serve does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import faust

from stream.chain.publish import Outgoing
from stream.chain.records import Record, decode_records
from stream.ops.supervise import end_with_parent
from stream.serve.agents import Batching, add_agent
from stream.serve.faust_app import faust_broker, faust_credentials
from stream.serve.meter import Meter
from upwell.codec import recommendations_value
from upwell.events import Request, Topic
from upwell.recommendations import Recommendations
from upwell.settings import load_settings


def answers(records: Sequence[Record], now_ms: int) -> Iterator[Outgoing]:
    for arrival in decode_records(records, now_ms)[0]:
        asked = arrival.event
        assert isinstance(asked, Request)
        answer = Recommendations(
            list_id="l",
            user_id=asked.user_id,
            items=(),
            model_version="0",
            trigger=asked.request_id,
            covers={},
            ts=now_ms,
            latency_ms=0,
        )
        yield Outgoing(Topic.RECOMMENDATIONS, asked.user_id.encode(), recommendations_value(answer))


def main() -> None:
    settings = load_settings(os.environ)
    end_with_parent()
    app = faust.App(
        settings.kafka.prefix + "serve",
        broker=faust_broker(settings),
        broker_credentials=faust_credentials(settings),
        datadir=settings.data / "faust",
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
    )
    prefix = settings.kafka.prefix
    add_agent(app, "users", [Topic.REQUESTS], prefix, Batching(16, 0.01, Meter()), answers, {})
    faust.Worker(
        app, loglevel="INFO", quiet=True, redirect_stdouts=False
    ).execute_from_commandline()


if __name__ == "__main__":
    main()
