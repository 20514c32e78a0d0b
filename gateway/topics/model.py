"""The model as the gateway has it: a replica that follows `catalogue`, `rules` and `models` as a
serve worker does, on a thread of its own (docs/decisions/0032).

It ranks for nobody in particular: what is known of users stays with the serve workers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.edge.refusals import Refused
from gateway.ranks import Ranked
from gateway.topics.versions import RulingsReader, Versions
from learner.counts.similar import similar_rows
from learner.ranking.explain import LEXICAL
from learner.release.replica import Replica
from stream.broker.connect import client_options, models_folder
from stream.broker.feeds import Broadcast
from stream.chain.fold import empty_state
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.standing import Standing
from stream.chain.policy import load_policy
from stream.serve.decisions import take_overrides
from stream.serve.follow import Follower
from upwell.events import Decision, Topic
from upwell.ports import RankRequest
from upwell.recommendations import Entry, Reason
from upwell.settings import Settings
from upwell.system.clock import now_ms
from upwell.system.threads import start_thread
from upwell.values import CatalogueItem

__all__ = ["ModelFollower"]

IDLE_SECONDS = 0.25


class ModelFollower:
    """dimension: of the items' vectors. failed: is told what ended the following.

    Its answers come from any thread: one lock, held for a step of the following (milliseconds) or
    one answer.
    """

    def __init__(
        self, settings: Settings, dimension: int, failed: Callable[[BaseException], None]
    ) -> None:
        options, prefix = client_options(settings.kafka), settings.kafka.prefix
        self._replica = Replica(settings.learner, dimension)
        self._governed: dict[str, CatalogueItem] = {}
        self.versions = Versions(models_folder(settings), settings.data / "models")
        self.changed_at: int | None = None
        """When a newer model was taken over last, UTC ms; None before it started."""
        self._catalogue = Broadcast(prefix + Topic.CATALOGUE, options)
        self._models = Broadcast(prefix + Topic.MODELS, options)
        self._overrides = Broadcast(prefix + Topic.OVERRIDES, options)
        self._standing = Standing()
        self._rules = Broadcast(prefix + Topic.RULES, options)
        self._follower = Follower(
            self._catalogue,
            self._models,
            lambda items: None,
            self._announce,
            RulingsReader(self._replica, models_folder(settings), self.versions),
            self._rules,
            self._replica.take_rules,
            load_policy(settings.policy),
        )
        self._dimension = dimension
        self._failed = failed
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Returns when all that stood there was taken in, and the kernels are compiled. Raises
        `BrokerError`, `ModelError`.
        """
        self._catalogue.start()
        self._models.start()
        self._overrides.start()
        take_overrides(self._overrides.drain(), self._standing)
        self._rules.start()
        self._follower.level()
        self.popular(1, None)
        self.changed_at = now_ms()
        self._thread = start_thread("gateway-model", self._follow, self._failed)

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._catalogue.stop()
        self._models.stop()
        self._overrides.stop()
        self._rules.stop()

    @property
    def version(self) -> str:
        """Of the model that ranks here."""
        with self._lock:
            return self._replica.version

    def report(self) -> dict[str, int | None]:
        """JSON-ready, as `stream.metrics.registry` reads it; from any thread."""
        return {
            "items": len(self._replica.ranking.catalogue),
            "model_examples": self._replica.learned,
            "model_at": self.changed_at,
        }

    def item(self, item_id: str) -> CatalogueItem | None:
        """As it was announced and governed."""
        with self._lock:
            catalogue = self._replica.ranking.catalogue
            row = catalogue.row(item_id)
            return None if row is None else catalogue.items[row]

    def governed(self) -> Sequence[CatalogueItem]:
        """Those that operators banned, pinned or boosted, or their policy blocks, by id."""
        with self._lock:
            return [item for _, item in sorted(self._governed.items())]

    def kept(self, override_ids: Sequence[str]) -> Mapping[str, Kept]:
        """What stands of these overrides, of those of which anything does."""
        with self._lock:
            kept = self._standing.kept
            return {name: kept[name] for name in override_ids if name in kept}

    def similar(self, item_id: str, k: int) -> Ranked:
        """Items like an item. Raises `Refused` (404) where nobody announced it."""
        with self._lock:
            ranking = self._replica.ranking
            row = ranking.catalogue.row(item_id)
            if row is None or ranking.catalogue.items[row] is None:
                raise Refused(404, "unknown_item", "no item of this id was announced")
            found = similar_rows(ranking.state(), row, self._open(self._allowed(None)), k)
            because = ranking.catalogue.named(row)
            entries = [self._entry(one, liked, text, because) for one, liked, text in found]
            return self._ranked(entries)

    def popular(self, k: int, category: str | None) -> Ranked:
        """The list of somebody of whom nothing is known; nothing in it by lot."""
        nobody = empty_state("", self._dimension)
        with self._lock:
            asked = RankRequest(state=nobody, k=k, category=category, at=now_ms())
            [entries] = self._replica.rank([self._standing.over(asked, now_ms())])
            return self._ranked(entries)

    def newest(self, k: int, category: str | None) -> Ranked:
        """By the `ts` of each item's newest record, the latest first."""
        with self._lock:
            catalogue = self._replica.ranking.catalogue
            allowed = self._allowed(category)
            order = catalogue.features.state.order
            rows = _first(order[::-1], self._open(allowed), k)
            return self._ranked([self._entry(row, 0.0, 0.0, None) for row in rows])

    def search(self, words: str, k: int) -> Ranked:
        """Titles that are written most like `words`, best first; the score is the likeness."""
        with self._lock:
            catalogue = self._replica.ranking.catalogue
            found = catalogue.lexical.search(words, k)
            allowed = self._open(self._allowed(None), words)
            return self._ranked(
                Entry(
                    item_id=catalogue.ids[row],
                    score=likeness,
                    reasons=(Reason(signal=LEXICAL, weight=likeness, because=words),),
                    title=catalogue.title(row),
                )
                for row, likeness in found
                if allowed[row]
            )

    def _open(self, allowed: NDArray[np.bool_], words: str | None = None) -> NDArray[np.bool_]:
        """Of what may be shown, what people did not ban for everyone, or for these words."""
        decisions = self._standing.decisions("", (), words, now_ms())
        banned = [item for item, one in decisions.items() if one.decision is Decision.BAN]
        if not banned:
            return allowed
        left = allowed.copy()
        left[self._replica.ranking.catalogue.rows(banned)] = False
        return left

    def _allowed(self, category: str | None) -> NDArray[np.bool_]:
        """(capacity,) what may be shown now, by bans and by rules."""
        return self._replica.ranking.rules.allowed((category, now_ms()))

    def _ranked(self, entries: Iterable[Entry]) -> Ranked:
        return Ranked(tuple(entries), self._replica.version)

    def _entry(self, row: int, liked: float, text: float, because: str | None) -> Entry:
        shares = (("covisitation", liked), ("text_similarity", text))
        reasons = [Reason(signal=name, weight=one, because=because) for name, one in shares if one]
        reasons.sort(key=lambda reason: -reason.weight)
        catalogue = self._replica.ranking.catalogue
        return Entry(
            item_id=catalogue.ids[row],
            score=liked + text,
            reasons=tuple(reasons),
            title=catalogue.title(row),
        )

    def _announce(self, items: Sequence[CatalogueItem]) -> None:
        newest = {item.item_id: item for item in items}
        self._replica.add_items(list(newest.values()))
        for item_id, item in newest.items():
            if item.banned or item.blocked or item.pinned or item.boost:
                self._governed[item_id] = item
            else:
                self._governed.pop(item_id, None)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                learned = self._replica.learned
                take_overrides(self._overrides.drain(), self._standing)
                more = self._follower.step()
                if self._replica.learned != learned:
                    self.changed_at = now_ms()
            # in any case for a moment: a lock goes to whoever asks first
            self._stopping.wait(0.0 if more else IDLE_SECONDS)


def _first(order: Iterable[np.int32], allowed: NDArray[np.bool_], k: int) -> list[int]:
    found: list[int] = []
    for row in order:
        if allowed[row]:
            found.append(int(row))
            if len(found) == k:
                break
    return found
