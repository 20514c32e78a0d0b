"""A support desk: questions that templates answer, and after each what a person chose. Two kinds of
questions have no template until the desk proposes one.

Drawn by a seed: the answers of a shop, and questions put together of phrases, some with a slip of
the keyboard. Or a CSV file of one's own, a question and its template in each row.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import orjson

from stream.chain.privacy import Pseudonymizer
from stream.replay.log import LogRecord
from stream.replay.recipes.labels import Nearest, Regression
from stream.replay.recipes.recipe import Asked, Outcome, Recipe, Source
from stream.uses.desk import SupportDesk
from stream.uses.fold import Row, fold
from upwell.errors import LogError
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.settings import load_settings
from upwell.uses.topics import UseTopic

__all__ = ["RECIPE"]

QUESTIONS, USERS, HIDDEN = 2_000, 200, 2
BEGIN_MS = 1_767_225_600_000  # 2026-01-01
MINUTE_MS = 60_000
SLIPS = 0.2
COLUMNS = (("text", "category", ""), ("instruction", "intent", "response"))
"""Question, template and its words, by the heads of the files that are known."""
HELLO = ("", "", "hi, ", "hello! ", "good morning, ", "sorry to bother you, ", "hey ")
THANKS = ("", "", "?", " please", ", thanks", ", can you help", "!!", " asap")
KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "where is my parcel": (
        "Follow it under My orders; it takes three to five days.",
        ("my parcel has not come", "where is the order I placed {n} days ago", "track my package"),
    ),
    "change an address": (
        "Until it is packed you can change the address under My orders.",
        ("I moved, send it to the new address", "wrong street on order {n}", "edit my address"),
    ),
    "send something back": (
        "Print the label under My orders and hand the parcel in within 30 days.",
        ("I want to return the shoes", "how do returns work", "does not fit, send it back"),
    ),
    "money for a return": (
        "The money is on its way once the parcel is with us; it takes five days.",
        ("still no refund after {n} days", "when do I get my money back", "refund for order {n}"),
    ),
    "pay by invoice": (
        "Choose Invoice at the end; you have 14 days.",
        ("can I pay by invoice", "pay later instead of card", "is there a bill to pay after"),
    ),
    "a card is refused": (
        "Ask your bank, or choose another way to pay; nothing was taken.",
        ("my card was declined", "payment failed {n} times", "visa is not accepted"),
    ),
    "cancel an order": (
        "Under My orders, as long as it is not packed.",
        ("cancel order {n}", "I do not want it any more", "stop my purchase"),
    ),
    "a code does not work": (
        "Codes hold once and not for reduced goods.",
        ("the voucher is not accepted", "discount code {n} invalid", "coupon does not apply"),
    ),
    "forgot a password": (
        "Ask for a link on the page where you log in.",
        ("cannot log in", "reset my password", "locked out of my account"),
    ),
    "close an account": (
        "Under My data; what the law asks us to keep is kept for ten years.",
        ("delete my account", "erase everything you have of me", "I want to leave, close it"),
    ),
    "an article is broken": (
        "Send us a picture: you get another one, or your money.",
        ("the lamp came broken", "screen is cracked out of the box", "it stopped after {n} days"),
    ),
    "is it in stock again": (
        "Press the bell beside the article.",
        ("when is size {n} back", "sold out, when again", "restock the green one"),
    ),
}


def read(asked: Asked) -> Source:
    """Raises `LogError` where the file is none with columns that are known."""
    count = asked.events or QUESTIONS
    rng = np.random.default_rng(asked.seed)
    if asked.data is None:
        answers = {name: answer for name, (answer, _) in KINDS.items()}
        pairs = [_drawn(rng) for _ in range(count)]
        said = f"drawn by seed {asked.seed}, nothing recorded: {len(KINDS)} kinds of questions"
    else:
        every, answers = _of_file(asked.data)
        pairs = [every[place] for place in rng.permutation(len(every))[:count]]
        said = f"recorded: {asked.data.name}, in an order drawn by seed {asked.seed}"
    hidden = rng.choice(sorted(answers), HIDDEN, replace=False).tolist()
    return Source(f"{said}; without a template: {', '.join(hidden)}", _log(pairs, answers, hidden))


def _drawn(rng: np.random.Generator) -> tuple[str, str]:
    kind = list(KINDS)[int(rng.integers(len(KINDS)))]
    phrase = KINDS[kind][1][int(rng.integers(3))].format(n=int(rng.integers(2, 40)))
    text = HELLO[int(rng.integers(len(HELLO)))] + phrase + THANKS[int(rng.integers(len(THANKS)))]
    if rng.random() < SLIPS:
        at = int(rng.integers(1, len(text)))
        text = text[: at - 1] + text[at:]
    return text, kind


def _of_file(path: Path) -> tuple[list[tuple[str, str]], dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise LogError(f"{path} cannot be read: {exc}; it is a CSV file in UTF-8") from exc
    heads = set(rows[0]) if rows else set()
    for text, template, answer in COLUMNS:
        if {text, template} <= heads:
            pairs = [(row[text], row[template]) for row in rows if row[text] and row[template]]
            return pairs, {row[template]: row.get(answer) or "" for row in rows if row[template]}
    raise LogError(
        f"{path} has the columns {', '.join(map(str, sorted(heads)))[:200]}: a question and its "
        "template are needed, `text` and `category`, or `instruction`, `intent` and `response`"
    )


def _log(
    pairs: Sequence[tuple[str, str]], answers: Mapping[str, str], hidden: Sequence[str]
) -> list[LogRecord]:
    """Templates, then each question with its choice; of a template that is hidden none of both."""
    made: list[LogRecord] = []

    def add(topic: UseTopic, key: str, at: int, value: Mapping[str, Any]) -> None:
        raw = orjson.dumps({"ts": BEGIN_MS + at * MINUTE_MS, **value})
        made.append(_record(len(made) + 1, topic, key, raw))

    for name, answer in answers.items():
        if name not in hidden:
            title = name.replace("_", " ")
            value = {"template_id": name, "title": title, **({"text": answer} if answer else {})}
            add(UseTopic.TEMPLATES, name, 0, value)
    for number, (text, kind) in enumerate(pairs):
        user, question = f"u{number % USERS}", f"q{number}"
        asked = {"question_id": question, "user_id": user, "text": text}
        add(UseTopic.QUESTIONS, user, number, asked)
        chosen = {"question_id": question, "template_id": kind, "by": "agent"}
        add(UseTopic.CHOICES, question, number, chosen)
    return made


class Played:
    """The desk, taken through the log as its process takes batches, and the peers beside it."""

    def __init__(self, environment: Mapping[str, str], encoder: Encoder) -> None:
        target = load_settings(environment, None).uses.desk_target
        self.use = SupportDesk(encoder.dimension, target)
        self.encoder, self.target = encoder, target
        self.peers: dict[str, Nearest | Regression] = {
            "nearest question": Nearest(),
            "logistic regression, online": Regression(),
        }
        self.ranks: dict[str, list[int]] = {name: [] for name in ("Upwell", *self.peers)}
        self.alone: list[bool] = []
        self.seen: dict[str, int] = {}
        self.found: dict[str, int] = {}
        self.asked: dict[str, str] = {}

    def take(self, records: Sequence[LogRecord]) -> Iterator[int]:
        """How many are done, after each question with its choice."""
        kinds = {
            value["question_id"]: value["template_id"]
            for one in records
            if str(one.topic) == UseTopic.CHOICES
            for value in [orjson.loads(one.value)]
        }
        for place, one in enumerate(records):
            value = orjson.loads(one.value)
            if str(one.topic) == UseTopic.QUESTIONS:
                self._ask(one, value, kinds[value["question_id"]])
            elif str(one.topic) == UseTopic.TEMPLATES or self._knows(value["template_id"]):
                self._fold(one)
            yield place + 1

    def _knows(self, template_id: str) -> bool:
        return any(one.template_id == template_id for one in self.use.desk.templates)

    def _fold(self, one: LogRecord) -> Sequence[Any]:
        value = orjson.loads(one.value)
        row = Row(str(one.topic), 0, one.line, one.key, one.value, {}, value["ts"])
        return fold(self.use, self.encoder, _NAMES, [row], value["ts"]).published

    def _ask(self, one: LogRecord, value: Mapping[str, Any], kind: str) -> None:
        self.seen[kind] = self.seen.get(kind, 0) + 1
        self.asked[value["question_id"]] = kind
        told = self._fold(one)
        answer = told[0].value
        suggested = [some.template_id for some in answer.suggestions]
        if answer.answers:
            self.alone.append(suggested[0] == kind)
        if self._knows(kind):
            self.ranks["Upwell"].append(_rank(suggested, kind))
            vector = self.encoder.encode([value["text"]])[0]
            for name, peer in self.peers.items():
                self.ranks[name].append(_rank(peer.ask(vector), kind))
                peer.learn(vector, kind)
        if len(told) > 1:
            self._propose(one, told[1].value)

    def _propose(self, one: LogRecord, proposal: Any) -> None:
        """Somebody looks at the examples, and writes the template that most of them need."""
        group = self.use.desk.groups.groups[-1]
        kinds = [self.asked[member.question_id] for member in group.members]
        most = max(sorted(set(kinds)), key=kinds.count)
        if self._knows(most):
            return
        self.found[most] = self.seen[most]
        value = {"template_id": most, "ts": orjson.loads(one.value)["ts"], "title": proposal.name}
        value["examples"] = list(proposal.examples)
        raw = orjson.dumps(value)
        self._fold(_record(one.line, UseTopic.TEMPLATES, most, raw))


def _record(line: int, topic: UseTopic, key: str, raw: bytes) -> LogRecord:
    """As in a log, whose lines are else of the recommender's topics."""
    return LogRecord(line, cast(Topic, topic), key.encode(), raw)


_NAMES = Pseudonymizer(b"a recipe has no users of its own")


def _rank(told: Sequence[str], right: str) -> int:
    return told.index(right) if right in told else len(told) + 3


def play(
    source: Source,
    environment: Mapping[str, str],
    encoder: Encoder,
    moved: Callable[[int], None],
) -> Outcome:
    """A `Play`."""
    played = Played(environment, encoder)
    for done in played.take(source.records):
        moved(done)
    sides = {name: _figures(np.array(ranks)) for name, ranks in played.ranks.items()}
    alone = round(float(np.mean(played.alone)), 4) if played.alone else None
    share = round(len(played.alone) / max(1, len(played.asked)), 4)
    figures = {
        "questions": len(played.asked),
        "templates": len(played.use.desk.templates),
        "sides": sides,
        "alone": share,
        "alone_right": alone,
        "target": played.target,
        "found_after": played.found,
    }
    rows = [
        (
            name,
            *(f"{one[key]:.3f}" for key in ("first", "among_three", "second_half")),
            *((f"{share:.3f}", f"{alone}") if name == "Upwell" else ("", "")),
        )
        for name, one in sides.items()
    ]
    found = ", ".join(f"{kind} after {count}" for kind, count in played.found.items()) or "none"
    title = f"{len(played.asked):,} questions; new kinds found by so many of theirs: {found}"
    heads = ("", "first right", "among three", "second half", "alone", "of these right")
    return Outcome(title, heads, rows, figures)


def _figures(ranks: np.ndarray[Any, Any]) -> dict[str, float]:
    half = ranks[len(ranks) // 2 :]
    return {
        "first": round(float((ranks == 0).mean()), 4),
        "among_three": round(float((ranks < 3).mean()), 4),
        "second_half": round(float((half == 0).mean()), 4),
    }


RECIPE = Recipe("a support desk: which template answers, and when to hand over", read, play)
