"""The events that apps produce, one frozen type a topic. They know nothing about Kafka, JSON or
models.

Every `ts` is UTC milliseconds since 1970. Ids are strings of 1 to 256 characters. `upwell.schema`
builds these from untrusted input; a program that builds them by hand gets the same checks when
`UpwellClient` sends them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from upwell.knowledge.records import Knowledge, KnowledgeKind

__all__ = [
    "Action",
    "Click",
    "Control",
    "ControlKind",
    "Decision",
    "Event",
    "Impression",
    "Item",
    "Knowledge",
    "KnowledgeKind",
    "Match",
    "Query",
    "Request",
    "Review",
    "Topic",
    "type_of_topic",
]


class Topic(StrEnum):
    """The topics of version 1, without the prefix of the settings (default `upwell.`)."""

    ITEMS = "items"
    CLICKS = "clicks"
    REVIEWS = "reviews"
    QUERIES = "queries"
    IMPRESSIONS = "impressions"
    REQUESTS = "requests"
    CONTROLS = "controls"
    KNOWLEDGE = "knowledge"
    REROUTED = "rerouted"
    CATALOGUE = "catalogue"
    RECOMMENDATIONS = "recommendations"
    CONFIRMATIONS = "confirmations"
    DEAD_LETTERS = "dead_letters"
    EXAMPLES = "examples"
    MODELS = "models"
    METRICS = "metrics"
    KEYS = "keys"
    ENCODERS = "encoders"
    OVERRIDES = "overrides"
    AUDIT = "audit"
    RULES = "rules"
    ERASURES = "erasures"
    QUARANTINE = "quarantine"


class Action(StrEnum):
    """What a user did with an item."""

    VIEW = "view"
    CLICK = "click"
    CART = "cart"
    PURCHASE = "purchase"
    LIKE = "like"
    DISLIKE = "dislike"
    SKIP = "skip"
    SHARE = "share"
    UNLIKE = "unlike"
    COMMENT = "comment"
    FOLLOW = "follow"
    SAVE = "save"
    UNSAVE = "unsave"
    HIDE = "hide"
    REPORT = "report"
    PLAY = "play"
    ADD_TO_LIST = "add_to_list"
    REMOVE_FROM_LIST = "remove_from_list"


class ControlKind(StrEnum):
    """What an operator asks for."""

    FORGET_USER = "forget_user"
    MERGE_USER = "merge_user"
    BAN_ITEM = "ban_item"
    PIN_ITEM = "pin_item"
    BOOST_ITEM = "boost_item"
    CLEAR_ITEM = "clear_item"
    OVERRIDE = "override"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    TAG_USER = "tag_user"
    UNTAG_USER = "untag_user"
    ROLLBACK_MODEL = "rollback_model"
    PROMOTE_ENCODER = "promote_encoder"
    ROLLBACK_ENCODER = "rollback_encoder"


class Decision(StrEnum):
    """What an override does with an item. KEEP: nothing, on the record: somebody looked, and let it
    be. RELEASE, REFUSE: with what waits in quarantine because of it (docs/attacks.md).
    """

    BAN = "ban"
    PIN = "pin"
    BOOST = "boost"
    DEMOTE = "demote"
    KEEP = "keep"
    RELEASE = "release"
    REFUSE = "refuse"


class Match(StrEnum):
    """How a search has to be like an override's query."""

    CONTAINS = "contains"
    EQUALS = "equals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of the catalogue, or a change of it: what is left out of a later one with the same
    `item_id` stays as it is, what `cleared` names (null in JSON) is taken away.

    The first one needs a title, or an image where a picture model is set. `image`: a data URI, a
    path or an https address. `relations`: by name the ids of other items, say
    (("accessory_of", ("tripod",)),), an object of lists in JSON. `group`: of the product or series
    that it is a variant of; in a list the variants of one share a place. `deleted` takes it out of
    every list; one with a title, or with `deleted` False, brings it back.
    """

    item_id: str
    ts: int
    title: str | None = None
    text: str | None = None
    categories: tuple[str, ...] = ()
    relations: tuple[tuple[str, tuple[str, ...]], ...] = ()
    brand: str | None = None
    price: float | None = None
    image: str | None = None
    language: str | None = None
    group: str | None = None
    deleted: bool | None = None
    event_id: str | None = None
    cleared: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Of its record."""
        return self.item_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A user did something with an item.

    `dwell_ms`: how long they stayed; `list_id`, `position` (from 0): the list it came from.
    `completion`: of a play alone, the share of the item that was played, in [0, 1].
    """

    event_id: str
    ts: int
    user_id: str
    item_id: str
    action: Action
    dwell_ms: int | None = None
    list_id: str | None = None
    position: int | None = None
    completion: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A user's rating (0.5 to 5 stars), words, or both, on an item; `deleted` takes back what they
    said of it before.
    """

    event_id: str
    ts: int
    user_id: str
    item_id: str
    rating: float | None = None
    text: str | None = None
    language: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A user searched for something."""

    event_id: str
    ts: int
    user_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """A user was shown items.

    `propensities`: the probability of each having stood at its place, in (0, 1].
    """

    event_id: str
    ts: int
    user_id: str
    list_id: str
    item_ids: tuple[str, ...]
    propensities: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An app asks for a list now; answered on `recommendations` with `trigger` = `request_id`.

    surface: the place where it is to be shown, by the app's own name; the policy may hide items
    there.
    """

    event_id: str
    ts: int
    user_id: str
    request_id: str
    k: int | None = None
    exclude: tuple[str, ...] = ()
    category: str | None = None
    surface: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """An operator's word on a user (`forget_user`, `merge_user`, `tag_user`, `untag_user`), an item
    (ban, pin, boost, clear) or an override (`override`, `approve`, `reject`, `withdraw`), or that
    they are about to change what serves (`rollback_model`, `promote_encoder`, `rollback_encoder`),
    which is for the record alone; `by` and `why` are kept for it.

    from_user: of a merge, the guest whose events are `user_id`'s. An override is a `decision` on an
    item, for everyone or for one user, one segment of users, or the searches that are like `query`.
    from_ts, until_ts: it holds from the first and before the second, UTC ms. priority: of two on
    one item the higher holds. of_event: an approval or rejection is of the override's record of
    this event_id and no later one. version: of what is to serve.
    """

    event_id: str
    ts: int
    kind: ControlKind
    by: str
    why: str
    user_id: str | None = None
    item_id: str | None = None
    boost: float | None = None
    from_user: str | None = None
    override_id: str | None = None
    decision: Decision | None = None
    segment: str | None = None
    query: str | None = None
    match: Match | None = None
    from_ts: int | None = None
    until_ts: int | None = None
    priority: int | None = None
    of_event: str | None = None
    version: str | None = None


Event = Item | Click | Review | Query | Impression | Request | Control | Knowledge

type_of_topic: dict[Topic, type[Event]] = {
    Topic.ITEMS: Item,
    Topic.CLICKS: Click,
    Topic.REVIEWS: Review,
    Topic.QUERIES: Query,
    Topic.IMPRESSIONS: Impression,
    Topic.REQUESTS: Request,
    Topic.CONTROLS: Control,
    Topic.KNOWLEDGE: Knowledge,
}
