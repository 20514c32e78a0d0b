"""An opinion watch: posts in, alerts out; who has seen an alert acknowledges it."""

from __future__ import annotations

from dataclasses import dataclass

from upwell.fields import Check, label, number, text

__all__ = ["ACKNOWLEDGEMENT_CHECKS", "POST_CHECKS", "Acknowledgement", "Alert", "Post", "Quoted"]

POST_CHECKS: dict[str, Check] = {
    "post_id": label(),
    "user_id": label(optional=True),
    "text": text(20_000),
    "sentiment": number(-1.0, 1.0),
}
ACKNOWLEDGEMENT_CHECKS: dict[str, Check] = {
    "alert_id": label(),
    "by": label(),
    "event_id": label(optional=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Somebody wrote something, at `ts`; the `post_id` is heeded once. sentiment: in [-1, 1], where
    it is known: the watch learns from it.
    """

    post_id: str
    ts: int
    text: str
    user_id: str | None = None
    sentiment: float | None = None

    @property
    def key(self) -> str:
        """Of its record."""
        return self.user_id or self.post_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody (`by`) has seen an alert: it is closed, until its topic changes again."""

    alert_id: str
    ts: int
    by: str
    event_id: str | None = None

    @property
    def key(self) -> str:
        """Of its record."""
        return self.alert_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A post that speaks for its topic."""

    post_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A topic has changed. kind: `new`, a topic that was hardly there; `burst`, more of all posts
    are about it; `mood`, their mean sentiment has turned. `was` before, `now` since `since`,
    between `low` and `high`: a share in [0, 1] or a sentiment in [-1, 1]. update: 0 when it is told
    first; what is told of it later has the same `alert_id`. topic: its number, name: words that
    tell it from others. ts: of the post that showed it, `since` likewise UTC ms.
    """

    alert_id: str
    ts: int
    update: int
    kind: str
    topic: int
    name: str
    was: float
    now: float
    low: float
    high: float
    since: int
    posts: tuple[Quoted, ...]
