"""People who listen to music in sessions, drawn by a seed: most of what they play they played
before, an album goes on with its next track, and now and then they find another artist.

Nothing here is recorded: tastes, sessions and titles are drawn, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stream.replay.log import LogRecord
from stream.replay.recipes.compare import Lists
from stream.replay.recipes.part import part_of
from stream.replay.recipes.peers import FavouritesFirst, ItemKNN, Popular
from stream.replay.recipes.recipe import Asked, Recipe, Source, record
from upwell.events import Topic

__all__ = ["RECIPE", "world"]

EVENTS = 5_000
USERS, ARTISTS, ALBUMS, TRACKS = 120, 60, 2, 6
DAY_MS = 86_400_000
BEGIN_MS = 1_767_225_600_000  # 2026-01-01
AGAIN = 0.6
"""Of what does not go on with an album, that was played before."""
GOES_ON = 0.45
GENRES = ("folk", "jazz", "techno", "metal", "soul", "ambient")
FIRST = ("Silver", "Broken", "Quiet", "Northern", "Paper", "Velvet", "Hollow", "Late", "Golden")
SECOND = ("Harbour", "Engines", "Orchard", "Signals", "Rivers", "Mirrors", "Cassettes", "Lanterns")
WORDS = (
    *("Rain", "Window", "Morning", "Static", "Fever", "Letters", "Gravity", "Smoke", "Ocean"),
    *("Wires", "Sunday", "Glass", "Thunder", "Feathers", "Midnight", "Dust", "Echo", "Ladder"),
)


@dataclass(frozen=True, slots=True)
class Track:
    """album: of all albums, by number; place: on it."""

    item_id: str
    artist: int
    album: int
    place: int


@dataclass(slots=True)
class Listener:
    """taste: (genres,) shares. played: how much each track means to them now."""

    user_id: str
    taste: np.ndarray[Any, np.dtype[np.float64]]
    begins: int
    played: dict[int, float] = field(default_factory=dict)


class World:
    """All that is drawn, from one generator."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.genre = self.rng.integers(len(GENRES), size=ARTISTS)
        self.fame = self.rng.permutation(1.0 / np.arange(1, ARTISTS + 1))
        self.tracks = [
            Track(f"t{ALBUMS * TRACKS * artist + TRACKS * album + place}", artist, number, place)
            for artist in range(ARTISTS)
            for album in range(ALBUMS)
            for number in [ALBUMS * artist + album]
            for place in range(TRACKS)
        ]
        self.liked_most = self.rng.lognormal(0.0, 0.7, len(self.tracks))
        self.listeners = [self._listener(number) for number in range(USERS)]

    def _listener(self, number: int) -> Listener:
        taste = self.rng.dirichlet(np.full(len(GENRES), 0.35))
        late = number % 4 == 0  # a quarter comes while the others listen
        begins = int(self.rng.integers(2, 12)) if late else 0
        return Listener(f"u{number}", taste, BEGIN_MS + begins * DAY_MS)

    def announcements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        names = [
            f"{FIRST[self.rng.integers(len(FIRST))]} {SECOND[self.rng.integers(len(SECOND))]}"
            for _ in range(ARTISTS)
        ]
        for track in self.tracks:
            one, other = self.rng.choice(len(WORDS), 2, replace=False)
            yield (
                track.item_id,
                {
                    "item_id": track.item_id,
                    "ts": BEGIN_MS - DAY_MS + track.album,
                    "title": f"{WORDS[one]} {WORDS[other]} – {names[track.artist]}",
                    "categories": [GENRES[self.genre[track.artist]]],
                    "brand": f"{names[track.artist]} {track.artist}",
                },
            )

    def session(self, listener: Listener) -> Iterator[int]:
        """Tracks by number, as they are played one after the other."""
        now: int | None = None
        for _ in range(2 + int(self.rng.geometric(0.2))):
            now = self._next(listener, now)
            listener.played[now] = listener.played.get(now, 0.0) + 1.0
            yield now
        for track in listener.played:
            listener.played[track] *= 0.93  # enough of it, in the end

    def _next(self, listener: Listener, now: int | None) -> int:
        if now is not None and self.rng.random() < GOES_ON:
            following = now + 1
            if following < len(self.tracks) and self.tracks[following].place > 0:
                return following
        if listener.played and self.rng.random() < AGAIN:
            known = list(listener.played)
            worth = np.array([listener.played[one] for one in known]) ** 1.3
            return int(self.rng.choice(known, p=worth / worth.sum()))
        artist = self.fame * listener.taste[self.genre]
        chosen = int(self.rng.choice(ARTISTS, p=artist / artist.sum()))
        own = slice(chosen * ALBUMS * TRACKS, (chosen + 1) * ALBUMS * TRACKS)
        worth = self.liked_most[own]
        return own.start + int(self.rng.choice(ALBUMS * TRACKS, p=worth / worth.sum()))


def world(seed: int, events: int) -> Sequence[LogRecord]:
    """The log: all tracks, then so many plays in the order of time."""
    made = World(seed)
    records = [
        record(line, Topic.ITEMS, item_id, value)
        for line, (item_id, value) in enumerate(made.announcements(), 1)
    ]
    plays: list[tuple[int, str, str]] = []
    day = 0
    while len(plays) < events:
        begin = BEGIN_MS + day * DAY_MS
        here = [one for one in made.listeners if one.begins <= begin]
        for listener in here:
            if made.rng.random() < 0.6:
                at = begin + int(made.rng.normal(18.0, 3.0) * 3_600_000)
                for track in made.session(listener):
                    plays.append((at, listener.user_id, made.tracks[track].item_id))
                    at += int(made.rng.integers(120_000, 300_000))
        day += 1
    plays.sort()
    for number, (at, user, item) in enumerate(plays[:events]):
        value = {"event_id": f"p{number}", "ts": at, "user_id": user, "item_id": item}
        line = len(records) + 1
        records.append(record(line, Topic.CLICKS, user, value | {"action": "click"}))
    return records


def read(asked: Asked) -> Source:
    """A log of one's own, or drawn anew by the seed. Raises `LogError`."""
    events = asked.events or EVENTS
    if asked.data is not None:
        records = part_of(asked.data, events, all_items=True)
        return Source(f"recorded: the first events of {asked.data.name}", records)
    said = f"drawn by seed {asked.seed}, nothing recorded: {USERS} people who listen in sessions"
    return Source(said, world(asked.seed, events))


RECIPE = Recipe(
    "music, drawn: people listen again to what they like",
    read,
    Lists(
        {
            "own favourites, then popular": FavouritesFirst,
            "popular, 7 days": lambda: Popular(7 * DAY_MS),
            "item-kNN": ItemKNN,
        },
        without={"Upwell, UPWELL_REPEATS=never": {"UPWELL_REPEATS": "never"}},
        again=True,
    ),
)
