"""The two chains and what they share, from the settings: the same for the serve process and the
inline engine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from store import Store
from stream.chain.audit.desk import Desk, Rules
from stream.chain.audit.journal import Stood
from stream.chain.catalogue import Catalogue
from stream.chain.denoise import Denoiser, NoiseLimits
from stream.chain.fences import Fences
from stream.chain.fold import Bounds
from stream.chain.items import ItemPipeline
from stream.chain.overrides.standing import Standing
from stream.chain.pipeline import Limits, Pipeline
from stream.chain.policy import Policy, load_policy
from stream.chain.policy.hiding import HidingRanker
from stream.chain.privacy import Pseudonymizer
from stream.chain.users import Users
from upwell.events import Topic
from upwell.ports import Encoder, Pictures, Ranker
from upwell.settings import Settings, segment_names

__all__ = ["Chains", "Ports", "build_chains"]

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the chains ask of the world. bulk: encodes announcements, and gives way to `encoder`.
    key: of the pseudonyms. partition_of: a record's key to its partition. oldest_ms: as `Fences`
    asks. incarnations: of the topics that are read; none without a broker. pictures: looks at those
    of items; None where nobody does. stood: what stands of the people's decisions on a partition.
    rule_ids: of the rules that hold now, from any thread. forgets: is told until when (UTC ms) each
    pseudonym is forgotten.
    """

    store: Store
    encoder: Encoder
    bulk: Encoder
    ranker: Ranker
    key: bytes
    partition_of: Callable[[bytes], int]
    oldest_ms: Callable[[], int | None]
    incarnations: Mapping[Topic, str] = field(default_factory=dict)
    pictures: Pictures | None = None
    stood: Callable[[int], Stood] = lambda partition: Stood()
    rule_ids: Callable[[], Collection[str]] = tuple
    forgets: Callable[[Mapping[str, int]], None] = lambda until: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """pipeline: of users' events. items: of announcements and controls. policy: of what is harmful,
    for whoever takes in the catalogue.
    """

    users: Users
    catalogue: Catalogue
    pseudonymizer: Pseudonymizer
    pipeline: Pipeline
    items: ItemPipeline
    policy: Policy
    standing: Standing
    desk: Desk


def build_chains(settings: Settings, ports: Ports) -> Chains:
    """All parts wired; nothing but the policy's files is read yet. Raises `SettingsError`."""
    stream = settings.stream
    users = Users(ports.store, stream.hot_users, ports.encoder.dimension)
    policy = load_policy(settings.policy)
    ranker = HidingRanker(ports.ranker, policy)
    catalogue, standing = Catalogue(ranker.know), Standing()
    pseudonymizer = Pseudonymizer(ports.key)
    limits = Limits(
        bounds=Bounds(
            stream.history,
            stream.had,
            settings.learner.intent_half_life_days * _DAY_MS,
            segment_names(settings.learner.fair_segments),
        ),
        partition_of=ports.partition_of,
        list_k=stream.list_k,
        test_sample=settings.learner.test_sample,
        incarnations=ports.incarnations,
        returns=stream.returns,
        fatigue=stream.fatigue,
    )
    pipeline = Pipeline(
        limits,
        encoder=ports.encoder,
        ranker=ranker,
        users=users,
        catalogue=catalogue,
        pseudonymizer=pseudonymizer,
        denoiser=Denoiser(NoiseLimits(stream.dedup_window, stream.bounce_ms, stream.bot_events)),
        fences=Fences(ports.oldest_ms, ports.forgets),
        policy=policy,
        standing=standing,
    )
    rules = Rules(stream.approvals, pseudonymizer.pseudonym, ports.partition_of, ports.stood)
    desk = Desk(rules)
    items = ItemPipeline(
        ports.bulk,
        ports.store,
        stream.catalogue_items,
        ports.pictures,
        desk,
        ports.rule_ids,
    )
    return Chains(
        users=users,
        catalogue=catalogue,
        pseudonymizer=pseudonymizer,
        pipeline=pipeline,
        items=items,
        policy=policy,
        standing=standing,
        desk=desk,
    )
