"""What an app uses: produce events, iterate over lists. On kafka-python; loads no model and no
stream framework.

with UpwellClient("127.0.0.1:9092") as upwell:
    upwell.click("ann", "item-7")
    for recommendations in upwell.lists("ann", timeout=5):
        print(recommendations.items)
"""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import orjson

from upwell.codec import parse_confirmation, parse_dead_letter, parse_recommendations
from upwell.connection import check_advertised, check_login, refusal, tls_context
from upwell.errors import BrokerError, InvalidEventError
from upwell.events import (
    Action,
    Click,
    Control,
    ControlKind,
    Event,
    Impression,
    Item,
    Query,
    Request,
    Review,
    Topic,
)
from upwell.knowledge.words import KnowledgeWords
from upwell.recommendations import Confirmation, DeadLetter, Recommendations
from upwell.schema import event_value, key_of, parse_event, topic_of
from upwell.settings import KafkaSettings, Settings
from upwell.system.clock import now_ms
from upwell.system.trace_context import TraceContext

if TYPE_CHECKING:
    from upwell.reader import TopicReader

__all__ = ["UpwellClient", "client_options", "find_broker"]

SEND_SECONDS = 30.0
POLL_MS = 100

E = TypeVar("E", bound=Event)
K = TypeVar("K", Action, ControlKind)


def client_options(kafka: KafkaSettings) -> dict[str, Any]:
    """kafka-python's keyword options for these settings, the password masked in their repr.

    Raises `BrokerError` where no address is known, `SettingsError` where the file of authorities
    cannot be used.
    """
    if kafka.address is None:
        raise BrokerError(
            "no Kafka broker is named: set UPWELL_KAFKA to its host:port, or start one "
            "with `upwell run`"
        )
    options: dict[str, Any] = {
        "bootstrap_servers": kafka.address.split(","),
        "bootstrap_timeout_ms": round(1000 * kafka.wait),
        "reconnect_backoff_max_ms": 1_000,  # its own is 30 s: one that is back would not be tried
    }
    if kafka.security_protocol != "PLAINTEXT":
        options |= {"security_protocol": kafka.security_protocol, "ssl_context": tls_context(kafka)}
    if kafka.security_protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.sasl_username,
            "sasl_plain_password": kafka.sasl_password.reveal() if kafka.sasl_password else None,
        }
    return options


def find_broker(settings: Settings) -> str:
    """The broker's address: `UPWELL_KAFKA`, else the one that `upwell` runs on this data folder.
    Raises `BrokerError`.
    """
    if settings.kafka.address is not None:
        return settings.kafka.address
    announced = settings.data / "broker.json"
    try:
        return str(json.loads(announced.read_text())["address"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise BrokerError(
            f"no broker runs on {settings.data}: start one with `upwell run` or `upwell "
            "demo`, or set UPWELL_KAFKA"
        ) from exc


class UpwellClient(KnowledgeWords):
    """Produces events and reads what Upwell publishes. `settings`: of Kafka; an address alone is
    enough for most. `trace`: events carry on the OpenTelemetry trace that the app is in
    (docs/tracing.md).

    Every event is checked as the stream would check it (`InvalidEventError`); delivery failures are
    `BrokerError`.
    """

    def __init__(
        self, address: str, settings: KafkaSettings | None = None, *, trace: bool = False
    ) -> None:
        from kafka import KafkaProducer
        from kafka.errors import KafkaError

        base = settings or KafkaSettings()
        self._kafka_error = KafkaError
        self._prefix = base.prefix
        self._options = client_options(replace(base, address=address))
        self._trace = TraceContext() if trace else None
        self._failure: BaseException | None = None
        self._readers: set[TopicReader] = set()
        _await_broker(address, base.wait)
        check_login(self._options)
        check_advertised(self._options, bear_some=True)
        try:
            self._producer = KafkaProducer(acks="all", **self._options)
        except (KafkaError, OSError, ValueError) as exc:
            raise refusal(self._options) or _unanswered(address) from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if value is None:
            self.close()
        else:  # the fault on its way says more than an undelivered event would
            self._release()

    def close(self) -> None:
        """Deliver what waits, then close.

        Raises `BrokerError` where something was not delivered.
        """
        try:
            self.flush()
        finally:
            self._release()

    def _release(self) -> None:
        for reader in tuple(self._readers):
            reader.close()
        self._readers.clear()
        self._producer.close(timeout=SEND_SECONDS)

    def send(self, event: Event) -> None:
        """Hand an event to the producer, keyed by its user or item; `flush` waits for delivery."""
        topic, value = topic_of(event), event_value(event)
        parse_event(topic, value, now_ms=now_ms())
        self._produce(topic, key_of(event), value)

    def _produce(self, topic: str, key: str, value: object) -> None:
        self._raise_failure()
        try:
            sent = self._producer.send(
                self._prefix + topic,
                key=key.encode(),
                value=orjson.dumps(value),
                headers=list(self._trace.headers()) if self._trace else None,
            )
        except self._kafka_error as exc:
            raise self._why(f"an event was not taken: {exc}") from exc
        sent.add_errback(self._failed)

    def flush(self, timeout: float = SEND_SECONDS) -> None:
        """Wait until the broker has everything sent so far. Raises `BrokerError`."""
        try:
            self._producer.flush(timeout=timeout)
        except self._kafka_error as exc:
            self._failed(exc)
        self._raise_failure()

    def click(
        self, /, user_id: str, item_id: str, action: Action | str = Action.CLICK, **more: Any
    ) -> Click:
        """A user did something with an item, now.

        more: here and below, other fields of the event, `event_id` and `ts` too.
        """
        return self._sent(
            Click(
                **{**_stamp(), **more},
                user_id=user_id,
                item_id=item_id,
                action=_one_of(Action, action),
            )
        )

    def review(
        self,
        /,
        user_id: str,
        item_id: str,
        rating: float | None = None,
        text: str | None = None,
        **more: Any,
    ) -> Review:
        """A user rated an item, wrote about it, or both, now."""
        return self._sent(
            Review(
                **{**_stamp(), **more}, user_id=user_id, item_id=item_id, rating=rating, text=text
            )
        )

    def query(self, /, user_id: str, text: str, **more: Any) -> Query:
        """A user searched, now."""
        return self._sent(Query(**{**_stamp(), **more}, user_id=user_id, text=text))

    def item(self, /, item_id: str, title: str | None = None, **more: Any) -> Item:
        """An item is announced (with a title) or changed, now: what is left out stays."""
        return self._sent(Item(**{"ts": now_ms(), **more}, item_id=item_id, title=title))

    def impression(
        self, /, shown: Recommendations, places: int | None = None, **more: Any
    ) -> Impression:
        """A user was shown a list, or its first `places`, now, with the list's propensities."""
        entries = shown.items[:places]
        return self._sent(
            Impression(
                **{**_stamp(), **more},
                user_id=shown.user_id,
                list_id=shown.list_id,
                item_ids=tuple(one.item_id for one in entries),
                propensities=tuple(one.propensity for one in entries),
            )
        )

    def request(
        self,
        user_id: str,
        k: int | None = None,
        exclude: tuple[str, ...] = (),
        category: str | None = None,
        surface: str | None = None,
    ) -> Request:
        """Ask for a list, now; it comes on `lists` with `trigger` = `request_id`."""
        stamp = _stamp()
        name = str(stamp["event_id"])
        asked = Request(**stamp, request_id=name, user_id=user_id, k=k, exclude=exclude)
        return self._sent(replace(asked, category=category, surface=surface))

    def control(self, /, kind: ControlKind | str, by: str, why: str, **more: Any) -> Control:
        """An operator's word on a user or an item, now."""
        return self._sent(
            Control(**{**_stamp(), **more}, kind=_one_of(ControlKind, kind), by=by, why=why)
        )

    def merge(self, /, from_user: str, into: str, by: str, why: str, **more: Any) -> Control:
        """What a guest did is from now on also `into`'s, who has logged in (docs/events.md)."""
        more |= {"user_id": into, "from_user": from_user}
        return self.control(ControlKind.MERGE_USER, by, why, **more)

    def lists(
        self, user_id: str | None = None, timeout: float | None = None, from_beginning: bool = False
    ) -> Iterator[Recommendations]:
        """Lists as they are published, of one user or of all; ends after `timeout` seconds without
        one.

        What is published after this call returned is not missed.
        """
        records = self._records(
            Topic.RECOMMENDATIONS,
            timeout,
            from_beginning,
            None if user_id is None else user_id.encode(),
        )
        return (parse_recommendations(raw) for raw in records)

    def confirmations(
        self, user_id: str | None = None, timeout: float | None = None, from_beginning: bool = False
    ) -> Iterator[Confirmation]:
        """Of users who were forgotten, as `lists`. One may come twice, with its event_id."""
        records = self._records(
            Topic.CONFIRMATIONS,
            timeout,
            from_beginning,
            None if user_id is None else user_id.encode(),
        )
        return (parse_confirmation(raw) for raw in records)

    def forget(self, user_id: str, by: str, why: str, timeout: float = 60.0) -> Confirmation:
        """Have a user forgotten, and wait until that is confirmed; `control` asks without waiting.
        What comes later starts afresh.

        Raises `BrokerError` when it was not confirmed in time; the request stands all the same.
        """
        answers = self.confirmations(user_id, timeout=timeout)
        asked = self.control(ControlKind.FORGET_USER, by, why, user_id=user_id)
        self.flush()
        for answer in answers:
            if answer.event_id == asked.event_id:
                return answer
        raise BrokerError(
            f"not confirmed within {timeout:g} s: the request stands, and is carried out "
            "once serve and learn run (upwell run)"
        )

    def dead_letters(
        self, timeout: float | None = None, from_beginning: bool = False
    ) -> Iterator[DeadLetter]:
        """Records that were no events, with their reasons; without the marks of those that were
        replayed.
        """
        records = self._records(Topic.DEAD_LETTERS, timeout, from_beginning, None)
        return (one for one in map(parse_dead_letter, records) if one.replayed_at is None)

    def request_list(
        self, /, user_id: str, k: int | None = None, timeout: float = 10.0, **more: Any
    ) -> Recommendations:
        """Ask and wait for the answer. Raises `BrokerError` when none came in time."""
        deadline = time.monotonic() + timeout
        answers = self.lists(user_id, timeout=timeout)
        asked = self.request(user_id, k=k, **more)
        self.flush()
        for answer in answers:
            if answer.trigger == asked.request_id:
                return answer
            if time.monotonic() > deadline:  # other lists of this user keep coming
                break
        raise BrokerError(
            f"no list came within {timeout:g} s: does a serve worker run on this broker "
            "(upwell run)?"
        )

    def _sent(self, event: E) -> E:
        self.send(event)
        return event

    def _records(
        self, topic: str, timeout: float | None, from_beginning: bool, key: bytes | None
    ) -> Iterator[bytes]:
        from upwell.reader import TopicReader

        reader = TopicReader(
            self._prefix + topic, self._options, key=key, from_beginning=from_beginning
        )
        self._readers.add(reader)
        return self._read(reader, timeout)

    def _read(self, reader: TopicReader, timeout: float | None) -> Iterator[bytes]:
        try:
            yield from reader.values(timeout)
        finally:
            self._readers.discard(reader)

    def _raise_failure(self) -> None:
        """Once: the app that heard of it may go on."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise self._why(f"events were not delivered: {failure}") from failure

    def _why(self, what: str) -> BrokerError:
        return refusal(self._options) or BrokerError(f"{what}; is the broker up?")

    def _failed(self, exc: BaseException) -> None:
        self._failure = exc


def _await_broker(address: str, seconds: float) -> None:
    """Until one of the addresses takes connections, at most so many seconds.

    kafka-python leaves a socket open for each refusal.
    """
    deadline = time.monotonic() + seconds
    while True:
        for one in address.split(","):
            host, _, port = one.strip().rpartition(":")
            try:
                socket.create_connection((host.strip("[]"), int(port)), timeout=seconds).close()
            except (OSError, ValueError, OverflowError) as exc:
                fault = exc
            else:
                return
        if isinstance(fault, ValueError | OverflowError) or time.monotonic() > deadline:
            raise _unanswered(address) from fault
        time.sleep(POLL_MS / 1000)


def _unanswered(address: str) -> BrokerError:
    return BrokerError(f"no Kafka broker answers at {address}: start it, or name another host:port")


def _one_of(kinds: type[K], given: str) -> K:
    if given not in list(kinds):
        raise InvalidEventError("unknown_value", f"{given!r:.40} is none of {', '.join(kinds)}")
    return kinds(given)


def _stamp() -> dict[str, Any]:
    return {"event_id": uuid.uuid4().hex, "ts": now_ms()}
