"""The ports: what the stages ask of the world. Each has a plain in-memory reference and one
conformance suite for all adapters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from upwell.recommendations import Entry
from upwell.values import CatalogueItem, SeenPicture, UserState, Vector

__all__ = ["Encoder", "ItemStore", "Pictures", "RankRequest", "Ranker", "UserStore"]


class Encoder(Protocol):
    """Text to unit vectors. Called by the pipeline's thread; blocks until done; safe to call from
    several threads.

    Guarantees: (n, dimension) float32, rows of unit length, row i depends on texts[i] alone (up to
    1e-2 in cosine distance for reduced precision), the same for the same `revision`. An empty text
    gives a unit vector too. Raises `EncoderError`.
    """

    @property
    def dimension(self) -> int: ...

    @property
    def revision(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Vector: ...


class Pictures(Protocol):
    """Pictures of items to vectors among those of texts. Called by the catalogue's thread alone;
    blocks, for a bounded time of fetching and for the model.

    model: the revision of what reads them. revision: that, `/`, and how they are placed. `look`
    gives a value for each picture, never an exception for what is wrong with one; the same bytes
    give the same vector to the bit. `placed` gives (d,) of unit length of a text's vector (None
    where there are no words) and a picture's. Raises `EncoderError`.
    """

    @property
    def model(self) -> str: ...

    @property
    def revision(self) -> str: ...

    def look(self, images: Sequence[str]) -> list[SeenPicture]: ...

    def placed(self, text: Vector | None, picture: Vector) -> Vector: ...


class UserStore(Protocol):
    """Users' states. Called once a micro-batch by the worker that owns the users; blocks; durable
    when a call returns.

    `write_users` refuses each state whose `sequence` is not above the stored one, writes the
    others, and returns the refused users; a batch with an invalid state (dimension, finiteness, id)
    raises `StoreError` and writes none of it.
    """

    def read_users(self, users: Sequence[str]) -> list[UserState | None]: ...

    def write_users(self, states: Sequence[UserState]) -> list[str]: ...

    def forget_users(self, users: Sequence[str]) -> None: ...


class ItemStore(Protocol):
    """The catalogue. `write_items` refuses (and returns) items whose `sequence` is below the stored
    one.
    """

    def read_items(self, item_ids: Sequence[str]) -> list[CatalogueItem | None]: ...

    def write_items(self, items: Sequence[CatalogueItem]) -> list[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RankRequest:
    """One list to make: for a state, k entries, without `exclude`, within `category` where one is
    given.

    `words`: the newest text (query or review) of the user, for a reason's `because`; titles written
    like them are candidates, unless they are of a review (`reviewed`), which is about what the user
    had.
    `lot`: decides whether the list is explored, and by which item; whoever asks makes it of the
    event that the list answers and a secret, so that no app chooses it. None: no exploration.
    worn: of items, how many impressions the user left unanswered. pinned: items that stand first,
    boosted: what is added to the scores of items, both for this list alone. at: when it is asked
    for, UTC ms, for rules that hold in some months alone; None where no time is meant. list_id: of
    the list, for who keeps what it was made of; nothing hangs on it. surface: the place where it is
    shown, for who leaves out what is hidden there.
    """

    state: UserState
    k: int
    exclude: tuple[str, ...] = ()
    category: str | None = None
    words: str | None = None
    reviewed: bool = False
    lot: str | None = None
    worn: Mapping[str, float] = field(default_factory=dict)
    pinned: tuple[str, ...] = ()
    boosted: Mapping[str, float] = field(default_factory=dict)
    at: int | None = None
    list_id: str = ""
    surface: str | None = None


class Ranker(Protocol):
    """Lists for states. Called once a micro-batch; blocks; changes no state.

    Guarantees: never an item of `state.had` (unless the settings let it return), of `exclude`,
    deleted or banned; reasons sum to the score; the same inputs and version give the same lists
    (where bounds on exposure are held, within one batch: docs/fairness.md); each entry's propensity
    is exact.
    """

    @property
    def version(self) -> str: ...

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]: ...
