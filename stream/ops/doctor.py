"""`upwell doctor`: is everything there that Upwell needs, and what to do where it is not. Each
check is one line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from encoders import kept_folder, load_encoder, model_dimension
from encoders.kept_file import SUFFIX
from encoders.load import model_revision
from encoders.pictures import load_pictures
from infra.java import find_java, find_maven
from infra.kafka import KAFKA_VERSION, cache_folder
from stream.broker.connect import open_settings_store, pseudonym_key
from stream.broker.engines import check_key, first_key, known_name, refuse_second
from stream.broker.incarnations import incarnations_of
from stream.broker.topics import check_topics, no_broker
from stream.chain.catalogue import vectors_of
from stream.chain.privacy import Pseudonymizer
from stream.learn.lock import LearnerLock
from stream.ops.encode_line import encode_line
from stream.ops.events_line import events_line
from stream.ops.round_trip import round_trip
from stream.ops.titles import newest_figures, title_line
from stream.ops.uses_line import uses_line
from stream.serve.codecs import CODECS, check_codecs
from upwell.client import client_options, find_broker
from upwell.connection import check_advertised, check_login
from upwell.errors import BrokerError, SettingsError, UpwellError
from upwell.events import Topic
from upwell.settings import Settings, describe_settings
from upwell.system.clock import now_ms

__all__ = ["Finding", "examine"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's.

    fine: False where something has to be mended; detail says what and how.
    """

    what: str
    fine: bool
    detail: str


def examine(settings: Settings) -> Iterator[Finding]:
    """All checks, in the order in which a start would need them."""
    yield _check("settings", lambda: _settings(settings))
    if settings.kafka.address is None:
        yield _check("java", find_java)
        yield _check("maven", lambda: _maven(cache_folder()))
        yield _check("broker", lambda: _own_broker(settings))
    else:
        broker = _check("broker", lambda: _answering(settings))
        yield broker
        if broker.fine:
            yield _check("record", lambda: _record(settings))
            yield _check("topics", lambda: _topics(settings))
            yield _check("engines", lambda: _engines(settings))
            yield _check("events", lambda: events_line(settings))
            yield _check("key", lambda: _key(settings))
            yield _check("titles", lambda: _titles(settings))
            yield _check("uses", lambda: uses_line(newest_figures(settings.kafka), now_ms()))
            yield _check("encode", lambda: _encode(settings))
    yield _check("codecs", _codecs)
    yield _check("model", lambda: _model(settings))
    if settings.pictures.model is not None:
        yield _check("pictures", lambda: _pictures(settings))
    yield _check("vectors", lambda: _vectors(settings))
    yield _check("store", lambda: _store(settings))


def _check(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except UpwellError as exc:
        return Finding(what, False, str(exc))
    except OSError as exc:  # a path of the settings that the system does not give
        where = "" if exc.filename is None else f"{os.fsdecode(exc.filename)}: "
        return Finding(
            what, False, f"{where}{exc.strerror or exc}: look at the path and its rights"
        )


def _settings(settings: Settings) -> str:
    given = [
        f"{name}={value}" for name, value, origin in describe_settings(settings) if origin == "set"
    ]
    return ", ".join(given) or "all defaults"


def _maven(cache: Path) -> str:
    if (cache / f"kafka-{KAFKA_VERSION}").is_dir():
        return f"Kafka {KAFKA_VERSION} is in {cache}"
    return f"{find_maven()} will fetch Kafka {KAFKA_VERSION} at the first start"


def _own_broker(settings: Settings) -> str:
    try:
        return f"runs on {find_broker(settings)}"
    except BrokerError:
        return "none named: `upwell run` starts one on this machine"


def _answering(settings: Settings) -> str:
    options = client_options(settings.kafka)
    check_login(options)
    check_advertised(options)
    try:
        admin = KafkaAdminClient(**options)
        topics = [name for name in admin.list_topics() if name.startswith(settings.kafka.prefix)]
        admin.close()
    except Exception as exc:  # any failure of the client means the same to a person
        raise no_broker(options, exc) from exc
    return f"answers at {settings.kafka.address}, {len(topics)} topics {settings.kafka.prefix}*"


def _record(settings: Settings) -> str:
    client = client_options(settings.kafka)
    try:
        return round_trip(client, settings.kafka.prefix)
    except KafkaError as exc:
        raise no_broker(client, exc) from exc


def _engines(settings: Settings) -> str:
    client, prefix = client_options(settings.kafka), settings.kafka.prefix
    if not incarnations_of(client, prefix, [Topic.METRICS]):
        return "none has been here yet"
    try:
        refuse_second(client, settings, known_name(settings.data))
    except SettingsError as exc:  # nothing is started here
        return f"warning: {exc}"
    return f"none is in the way of this one{_learners(settings)}"


def _learners(settings: Settings) -> str:
    """Who learns elsewhere, and who waits for that one to end, as they said themselves."""
    client, prefix = client_options(settings.kafka), settings.kafka.prefix
    lock = LearnerLock(client, prefix, known_name(settings.data))
    try:
        others = lock.others()
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
    finally:
        lock.release()
    said = {one.get("instance"): one for one in newest_figures(settings.kafka)}
    waiting = [
        f"{one['engine']} waits as standby for {one['waits_for']}"
        for one in said.values()
        if one["role"] == "standby" and not one["leaves"]
    ]
    learns = [
        f"{one} learns: `upwell run` is refused here, `upwell run --roles serve,learn` waits"
        for one in others
    ]
    return "".join(f"; {one}" for one in [*learns, *waiting])


def _key(settings: Settings) -> str:
    """Compared where this machine has a key yet; none is made here."""
    client, prefix = client_options(settings.kafka), settings.kafka.prefix
    first = first_key(client, prefix)
    if first is None:
        return "no engine has made pseudonyms on these topics yet"
    if settings.privacy.key is None and not (settings.data / "key").exists():
        return (
            f"this machine has none yet; the engine {first['engine']} has {first['key']}: a second "
            "machine that helps needs the same in UPWELL_KEY"
        )
    check_key(first, Pseudonymizer(pseudonym_key(settings)).fingerprint(), prefix)
    return f"{first['key']}, as the engine {first['engine']} said first"


def _topics(settings: Settings) -> str:
    kafka = settings.kafka
    there = check_topics(kafka.prefix, kafka.partitions, client_options(kafka))
    return f"{there} there and set as they must be; `upwell run` makes the others"


def _titles(settings: Settings) -> str:
    return title_line(newest_figures(settings.kafka))


def _encode(settings: Settings) -> str:
    return encode_line(settings.encoder.by, newest_figures(settings.kafka), now_ms())


def _codecs() -> str:
    check_codecs()
    return f"{', '.join(CODECS)}: by both clients"


def _model(settings: Settings) -> str:
    wanted = settings.encoder
    encoder = load_encoder(wanted.model, device=wanted.device, engine=wanted.engine)
    return f"{encoder.revision}, {encoder.encode(['hello']).shape[1]} dimensions"


def _pictures(settings: Settings) -> str:
    own = settings.encoder
    reads = {vectors_of(model_revision(own.model))}
    reader = load_pictures(settings.pictures, own, model_dimension(own.model), reads)
    assert reader is not None  # a model is set
    with closing(reader):
        unmapped = "" if settings.pictures.map else "; without UPWELL_IMAGE_MAP no words find them"
        return f"{reader.revision}{unmapped}"


def _vectors(settings: Settings) -> str:
    folder = kept_folder(settings.encoder.vectors)
    if folder is None:
        return "not kept on disk: every start encodes the catalogue"
    size = sum(file.stat().st_size for file in folder.glob(f"*{SUFFIX}"))
    return f"of the catalogue's texts kept in {folder}, {size / 1e6:.0f} MB"


def _store(settings: Settings) -> str:
    kind = settings.store.kind
    if kind == "server":
        open_settings_store(settings, model_dimension(settings.encoder.model), 2.0).close()
        return f"server at {settings.store.url}"
    settings.data.mkdir(parents=True, exist_ok=True)
    return (
        "memory: all is forgotten at the end"
        if kind == "memory"
        else f"edge, in {settings.data / 'store'}"
    )
