"""What the learner can be told: its settings, each with what is right for it and who sets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from upwell.settings.values import setting

__all__ = ["LearnerSettings"]


@dataclass(frozen=True, slots=True)
class LearnerSettings:
    """What is learned from events, and how lists come of it."""

    seed: int = setting(7, "where every random draw starts from", "developer")
    test_sample: float = setting(
        1.0,
        "of the targets that are tested before they are learned, by lot; the gate learns "
        "from these alone",
        "tuner",
        "share",
        above=0.0,
        below=1.0,
    )
    neighbours: int = setting(
        256,
        "that an item has at most in each table of counts",
        "tuner",
        "items",
        above=8,
        below=4_096,
    )
    exact_items: int = setting(
        50_000,
        "up to which each item is compared with all others; beyond, what is near is found by an "
        "index (docs/decisions/0033)",
        "operator",
        "items",
        above=0,
    )
    cold_item_weight: float = setting(
        1.25,
        "how much more a target on a new item teaches (docs/quality.md)",
        "tuner",
        "times",
        above=0.0,
        below=100.0,
    )
    bounded_influence: bool = setting(
        False,
        "an event of a user with a short past counts less (docs/decisions/0014)",
        "tuner",
    )
    quarantine: Literal["off", "burst", "strict"] = setting(
        "off",
        "likes of newcomers that push an item wait, and teach nothing, until their users have a "
        "past or a person releases them: `burst` from about the fifth of a burst on, `strict` from "
        "the second (docs/attacks.md)",
        "operator",
    )
    quarantine_days: float = setting(
        30.0,
        "after which what still waits in quarantine is dropped",
        "operator",
        "days",
        above=0.001,
        below=3_650.0,
    )
    relearn: int = setting(
        0,
        "of users, after which a learner begins afresh beside the one that runs, without what they "
        "did, and takes its place (docs/privacy.md); 0 is never",
        "operator",
        "erasures",
        above=0,
    )
    relearn_reach: float = setting(
        1.0,
        "of the examples that were learned, that `examples` must still hold for that",
        "operator",
        "share",
        above=0.0,
        below=1.0,
    )
    repeats: Literal["never", "learned"] = setting(
        "never",
        "whether lists show again what a user had: `learned`, once the log shows that users take "
        "things again (docs/decisions/0058)",
        "tuner",
    )
    lifetime: Literal["off", "learned"] = setting(
        "off",
        "`learned`: how long interest in items lasts, from the ages at which they are taken, so "
        "that old ones make way where it is short (docs/decisions/0058)",
        "tuner",
    )
    candidates: int = setting(
        30,
        "that each signal puts forward as candidates for a list",
        "tuner",
        "items",
        above=1,
        below=1_000,
    )
    relations: str | None = setting(
        None,
        "that are weighed apart, of those that items name to each other; all others are weighed as "
        "one (docs/knowledge.md)",
        "tuner",
        "at most two names, with a comma",
    )
    search_weight: float = setting(
        3.0,
        "added by the intent, in a list that answers a user's own words (docs/decisions/0007)",
        "tuner",
        "score",
        above=0.0,
        below=100.0,
    )
    explore: float = setting(
        0.05,
        "of the lists whose last place shows a new item by lot (docs/exploration.md)",
        "tuner",
        "share",
        above=0.0,
        below=0.5,
    )
    same_group: int = setting(
        1,
        "near-duplicates of each other, as the sizes of one shirt are, that stand in a list before "
        "all other items have their place; 0 is off (docs/lists.md)",
        "tuner",
        "items",
        above=0,
        below=100,
    )
    diversity: float = setting(
        0.0,
        "that an item loses in a list, at most, for its likeness to what stands above it "
        "(docs/lists.md); 0 is off",
        "tuner",
        "score",
        above=0.0,
        below=8.0,
    )
    calibration: float = setting(
        0.0,
        "that the fit of a list's categories to what its user liked weighs beside the scores "
        "(docs/lists.md); 0 is off",
        "tuner",
        "score",
        above=0.0,
        below=8.0,
    )
    objectives: str | None = setting(
        None,
        "that count in a list beside the next click: how much a purchase, a long dwell and a "
        "return after a click weigh, each where it is as frequent as usual, with a click at 1 "
        "(docs/lists.md); unset, lists are for clicks alone",
        "tuner",
        "as purchase=2, dwell=0.5, return=1",
    )
    fused: bool = setting(True, "the fused model is one of the signals", "tuner")
    fused_every: int = setting(
        256, "after which the fused model is trained", "developer", "examples", above=1
    )
    fused_steps: int = setting(
        2, "in each training of the fused model", "developer", "steps", above=1, below=1_000
    )
    adversarial: Literal["off", "fgsm", "vat"] = setting(
        "off", "perturb the embeddings in training against the loss, and how", "developer"
    )
    adversarial_epsilon: float = setting(
        0.1, "how far they are perturbed", "developer", "length", above=0.0
    )
    self_supervised: bool = setting(False, "two views of a history teach each other", "developer")
    self_supervised_weight: float = setting(
        0.1, "that loss counts so much beside the main one", "developer", "times", above=0.0
    )
    propensity: bool = setting(
        False, "targets weigh by their inverse propensity (docs/causal.md)", "developer"
    )
    propensity_clip: float = setting(
        10.0, "a target weighs at most", "developer", "times", above=1.0
    )
    rating_head: bool = setting(False, "the fused model predicts ratings too", "developer")
    publish_ms: int = setting(
        1_000,
        "at most so long from an example learned to its delta on `models`",
        "operator",
        "ms",
        above=1,
    )
    checkpoint_examples: int = setting(
        20_000, "learned from one checkpoint to the next", "operator", "examples", above=1
    )
    warmup_examples: int = setting(
        0, "after which the running figures start anew", "developer", "examples", above=0
    )
    intent_half_life_days: float = setting(
        30.0, "after so long an event weighs half in the intent", "tuner", "days", above=0.001
    )

    fair_segments: str | None = setting(
        None,
        "of users, by which fairness is told beside groups by activity, of none with fewer than 20 "
        "users (docs/fairness.md)",
        "operator",
        "at most eight names of segments, with a comma",
    )

    @property
    def relations_apart(self) -> tuple[str, ...]:
        """The names in `relations`."""
        names = (self.relations or "").split(",")
        return tuple(name.strip() for name in names if name.strip())
