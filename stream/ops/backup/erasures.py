"""Erasures carried out once more after a restore, before anything runs: by the ledger, which is
newer than the snapshot. Whoever was forgotten since is in no part of what was restored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from kafka import KafkaProducer
from kafka.errors import KafkaError

from learner.release import checkpoint
from learner.release.folder import ModelsFolder
from learner.release.users import without_users
from stream.broker.connect import models_folder, open_settings_store, pseudonym_key
from stream.broker.erasures.ledger import FILE, Ledger, later, newest, read_file, write_file
from stream.broker.erasures.topic import add_to_ledger, read_ledger
from stream.broker.topics import no_broker
from stream.chain.effects import Erasure, Forgotten
from stream.chain.fences import Fence, begun_after
from stream.chain.merge.message import decode_message
from stream.chain.privacy import Pseudonymizer
from stream.chain.validate import load_json
from stream.chain.wire import decode_examples, decode_rerouted, encode_erasure, encode_examples
from stream.ops.backup.uses import forget_in_uses
from upwell.client import client_options
from upwell.errors import InvalidEventError, SnapshotError
from upwell.events import Topic
from upwell.settings import Settings

__all__ = [
    "Owed",
    "carry_out",
    "ledger_now",
    "owed",
    "save_ledger",
    "send_erasures",
    "still_counts",
]

SEND_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Owed:
    """What a restore owes to those who were forgotten. whole: all that is known. since: entries
    that the snapshot was taken before.
    """

    whole: Ledger = field(default_factory=dict)
    since: Ledger = field(default_factory=dict)


def ledger_now(settings: Settings) -> Ledger:
    """As topic and data folder have it, for a snapshot: what is copied afterwards is without these
    users. Raises `BrokerError`, `SnapshotError`.
    """
    file = settings.data / FILE
    kept = read_file(file) if file.exists() else {}
    return newest([*kept.values(), *(_on_topic(settings) or {}).values()])


def save_ledger(folder: Path, ledger: Ledger) -> dict[str, str]:
    """Into a snapshot, where there are entries; name -> sha256. Raises `SnapshotError`."""
    if not ledger:
        return {}
    write_file(folder / FILE, ledger)
    return {FILE: sha256((folder / FILE).read_bytes()).hexdigest()}


def owed(settings: Settings, folder: Path, given: Sequence[Path] | None, same_broker: bool) -> Owed:
    """By the topic of the broker that the snapshot was made on, the ledger of this data folder, the
    one beside the snapshot, and those that are `given`; None of these is enough where they are
    given as none at all.

    Raises `SnapshotError` where nothing but the snapshot's own tells who was forgotten.
    """
    within = read_file(folder / FILE) if (folder / FILE).exists() else {}
    beside = [one for one in (settings.data / FILE, folder.parent / FILE) if one.exists()]
    files = [*beside, *(_file(one) for one in given or ())]
    found = _on_topic(settings) if same_broker else None
    if found is None and not files and given is None:
        raise SnapshotError(
            f"who was forgotten after {folder} was taken is not known here, and the snapshot would "
            "bring them back: name the ledger of the engine that it was taken of, `--erasures "
            f"DATA/{FILE}`; where it is lost, `--no-erasures` restores without it"
        )
    ledgers = [within, found or {}, *map(read_file, files)]
    whole = newest(entry for ledger in ledgers for entry in ledger.values())
    return Owed(whole, later(whole, within))


def _file(given: Path) -> Path:
    """A ledger, or the data folder that has one."""
    return given / FILE if given.is_dir() else given


def _on_topic(settings: Settings) -> Ledger | None:
    return read_ledger(client_options(settings.kafka), settings.kafka.prefix)


def carry_out(settings: Settings, due: Owed) -> dict[str, int]:
    """Removes them from the restored store and checkpoints, and leaves the ledger in the data
    folder; how many of each. Nothing may run meanwhile. Raises `StoreError`, `ModelError`,
    `SnapshotError`.
    """
    done = {
        "users": len(due.since),
        "states": _remove_states(settings, due.since),
        "windows": _remove_windows(models_folder(settings), due.whole),
        "uses": forget_in_uses(settings, due.whole.values(), due.since),
    }
    if due.whole:
        write_file(settings.data / FILE, due.whole)
    return done


def _remove_states(settings: Settings, since: Mapping[str, Forgotten]) -> int:
    """Of those that began before; what a user did after the request is another person's."""
    lies = settings.store.kind == "edge" and (settings.data / "store").is_dir()
    if not since or not (lies or settings.store.kind == "server"):
        return 0
    from encoders import model_dimension  # what starts the workers comes by this module too

    users = list(since)
    with closing(open_settings_store(settings, model_dimension(settings.encoder.model))) as store:
        states = zip(users, store.read_users(users), strict=True)
        gone = [
            user
            for user, state in states
            if state is not None and begun_after(state, _fence(since[user])) is not state
        ]
        store.forget_users(gone)
    return len(gone)


def _fence(one: Forgotten) -> Fence:
    return Fence(one.appended_ms, one.source, one.offset)


def _remove_windows(folder: ModelsFolder, users: Collection[str]) -> int:
    """Out of every checkpoint. All are written anew where one has such windows, in their order, and
    the old ones removed, so no older one can be gone back to that has them.
    """
    if not users:
        return 0
    every = list(reversed(checkpoint.every(folder)))
    loaded = [checkpoint.load(folder, one.name) for one in every]
    stripped = [without_users(arrays, users) for arrays, _ in loaded]
    gone = sum(count for _, count in stripped)
    if gone:
        for (arrays, _), (_, meta) in zip(stripped, loaded, strict=True):
            checkpoint.save_checkpoint(folder, arrays, meta)
        checkpoint.prune(folder, keep=len(every))
    return gone


def send_erasures(settings: Settings, due: Owed) -> None:
    """To a broker that does not know of them: its ledger, by which serve hides what is older, and
    behind the users' examples the word to learn to forget them, which confirms nothing. Raises
    `BrokerError`.
    """
    client, prefix = client_options(settings.kafka), settings.kafka.prefix
    there = read_ledger(client, prefix) or {}
    missing = later(due.whole, there)
    add_to_ledger(client, prefix, missing.values())
    try:
        with KafkaProducer(acks="all", **client) as producer:
            sent = [
                producer.send(
                    prefix + Topic.EXAMPLES,
                    value=encode_erasure(
                        Erasure(one.user, one.source, one.offset, 0, one.partition, guest=True)
                    ),
                    partition=one.partition,
                )
                for one in missing.values()
            ]
            for delivery in sent:
                delivery.get(timeout=SEND_TIMEOUT_S)
    except KafkaError as exc:
        raise no_broker(client, exc) from exc


def still_counts(settings: Settings, due: Owed) -> Callable[[str, int, bytes | None], bytes | None]:
    """Of a snapshot's records by topic, append time (UTC ms) and value: the value without what is
    of users who were forgotten later, None where nothing is left of it.
    """
    if not due.whole:
        return lambda topic, appended_ms, value: value
    pseudonym = Pseudonymizer(pseudonym_key(settings)).pseudonym

    def forgotten(user: str | None, appended_ms: int) -> bool:
        entry = due.whole.get(user or "")
        return entry is not None and appended_ms <= entry.appended_ms

    def left(topic: str, appended_ms: int, value: bytes | None) -> bytes | None:
        if value is None or topic in (Topic.CATALOGUE, Topic.ENCODERS, Topic.ITEMS):
            return value
        if topic == Topic.EXAMPLES:
            found = decode_examples(value)
            if isinstance(found, Erasure):
                return value
            kept = [one for one in found if not forgotten(one.user, appended_ms)]
            return value if len(kept) == len(found) else (encode_examples(kept) if kept else None)
        message = decode_message(value) if topic == Topic.REROUTED else None
        if message is not None:
            names = [message.user, getattr(message, "guest", None)]
            is_old = any(
                forgotten(one, message.appended_ms) for one in names if isinstance(one, str)
            )
            return None if is_old else value
        event = decode_rerouted(value)[1] if topic == Topic.REROUTED else value
        whose = [pseudonym(one) for one in _ids(event)]
        return None if any(forgotten(one, appended_ms) for one in whose) else value

    return left


def _ids(event: bytes) -> list[str]:
    try:
        value = load_json(event)
    except InvalidEventError:
        return []
    found = value if isinstance(value, dict) else {}
    return [one for name in ("user_id", "from_user") if isinstance(one := found.get(name), str)]
