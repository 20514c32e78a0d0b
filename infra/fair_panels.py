"""The dashboard of who is shown, what is told of users, and what is kept from teaching."""

from __future__ import annotations

from infra.panel import Dashboard, panel

__all__ = ["FAIR"]

FAIR = Dashboard(
    "fair",
    "Upwell: is it fair",
    (
        panel(
            "Shown by group",
            "percentunit",
            "share of the exposure in published lists beside the shares of the catalogue and of "
            "the interactions, by popularity and newness",
            ('upwell_group_exposure_share{by=~"popularity|newness"}', "{{group}} shown"),
            ('upwell_group_catalogue_share{by=~"popularity|newness"}', "{{group}} there"),
            ('upwell_group_interactions_share{by=~"popularity|newness"}', "{{group}} chosen"),
        ),
        panel(
            "Published lists",
            "percentunit",
            "share of the catalogue that stood in them lately, and how uneven: 1 is all on one",
            ("upwell_shown_coverage", "{{worker}} coverage"),
            ("upwell_shown_gini", "{{worker}} Gini index"),
        ),
        panel(
            "Lists by users' activity",
            "percentunit",
            "whose lists they are, and how far their categories are from what was liked",
            ("upwell_user_lists_share", "{{activity}} lists"),
            ("upwell_user_divergence", "{{activity}} divergence"),
        ),
        panel(
            "Lists by segment",
            "percentunit",
            "of the segments that UPWELL_FAIR_SEGMENTS names: whose lists they are, how far their "
            "categories are from what was liked, and what the least popular items have in them",
            ("upwell_segment_lists_share", "{{segment}} lists"),
            ("upwell_segment_divergence", "{{segment}} divergence"),
            ("upwell_segment_tail_share", "{{segment}} tail"),
        ),
        panel(
            "Gaps between segments",
            "none",
            "between the best and the worst segment of 20 users or more",
            ("upwell_segment_gap", "{{worker}} {{figure}}"),
            ("upwell_segment_quality_gap", "{{figure}}"),
        ),
        panel(
            "Bounds on exposure",
            "percentunit",
            "what each bounded group had, and should have at least (UPWELL_EXPOSURE)",
            ("upwell_bound_share", "{{worker}} {{bound}}"),
            ("upwell_bound_least_share", "{{bound}} at least"),
        ),
        panel(
            "Terms of the bounds",
            "none",
            "score that each bounded group gets; at 8 its bound is out of reach",
            ("upwell_bound_term", "{{worker}} {{bound}}"),
        ),
        panel(
            "Quality by group",
            "none",
            "NDCG@10 and HR@10 of Upwell over the last thousand targets or so of each group",
            ("upwell_group_ndcg10", "{{by}} {{group}} NDCG@10"),
            ("upwell_group_hr10", "{{by}} {{group}} HR@10"),
        ),
        panel(
            "Budget of privacy",
            "none",
            "ε of UPWELL_PRIVATE_EPSILON, what of it is spent, and whether all is (1: no learning)",
            ("upwell_privacy_epsilon", "ε"),
            ("upwell_privacy_epsilon_spent", "spent"),
            ("upwell_privacy_exhausted", "exhausted"),
            ("upwell_privacy_delta", "δ"),
        ),
        panel(
            "What was told under it",
            "short",
            "epochs so far, and users whose share is counted",
            ("upwell_privacy_epochs_total", "epochs"),
            ("upwell_privacy_users", "users"),
        ),
        panel(
            "Quarantine",
            "short",
            "likes of newcomers that wait, items that they push, and what became of them an hour",
            ("upwell_quarantine_waiting", "waiting"),
            ("upwell_quarantine_items", "items"),
            ("increase(upwell_quarantine_examples_total[1h])", "{{fate}}"),
        ),
    ),
)
