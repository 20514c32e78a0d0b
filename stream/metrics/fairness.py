"""The figures of who is shown, and of what lists are worth to whom (docs/fairness.md)."""

from __future__ import annotations

from stream.metrics.metric import Metric

__all__ = ["FAIRNESS", "UNTOLD_FAIRNESS"]

FAIRNESS = (
    Metric(
        "group_exposure_share",
        "gauge",
        "fairness.groups.{by}.{group}.exposure",
        "share",
        "of the exposure in a worker's last thousand lists or so (half-life) that the items of a "
        "group had; by category and brand of the ten groups with most items and those that are "
        "bounded, all others as one",
        seldom=True,
    ),
    Metric(
        "group_catalogue_share",
        "gauge",
        "fairness.groups.{by}.{group}.catalogue",
        "share",
        "of the items that may stand in a list that are of the group",
        seldom=True,
    ),
    Metric(
        "group_interactions_share",
        "gauge",
        "fairness.groups.{by}.{group}.interactions",
        "share",
        "of all events on items that were on items of the group",
        seldom=True,
    ),
    Metric(
        "shown_gini",
        "gauge",
        "fairness.gini",
        "index",
        "of exposure in these lists: 0 is even, 1 is all on one item",
        seldom=True,
    ),
    Metric(
        "shown_coverage",
        "gauge",
        "fairness.coverage",
        "share",
        "of the catalogue that stood in one of the last thousand lists",
        seldom=True,
    ),
    Metric(
        "user_lists_share",
        "gauge",
        "fairness.users.{activity}.lists",
        "share",
        "of these lists that were of users with so many events",
        seldom=True,
    ),
    Metric(
        "user_divergence",
        "gauge",
        "fairness.users.{activity}.divergence",
        "bits",
        "of the lists' categories from those of what these users liked (Jensen-Shannon): 0 is the "
        "same mix, 1 is nothing in common",
        seldom=True,
    ),
    Metric(
        "segment_lists_share",
        "gauge",
        "fairness.segments.{segment}.lists",
        "share",
        "of these lists that were of users of a segment (UPWELL_FAIR_SEGMENTS), where it has 20 "
        "users or more",
        seldom=True,
    ),
    Metric(
        "segment_divergence",
        "gauge",
        "fairness.segments.{segment}.divergence",
        "bits",
        "of their lists' categories from those of what they liked, as of users by activity",
        seldom=True,
    ),
    Metric(
        "segment_tail_share",
        "gauge",
        "fairness.segments.{segment}.tail",
        "share",
        "of the exposure in their lists that the least popular items had",
        seldom=True,
    ),
    Metric(
        "segment_gap",
        "gauge",
        "fairness.gaps.{figure}",
        "of the figure",
        "between the largest and the smallest of these segments by divergence, and by the tail's "
        "share (difference in demographic parity)",
        seldom=True,
    ),
    Metric(
        "segment_quality_gap",
        "gauge",
        "segment_gaps.{figure}",
        "of the figure",
        "between the best and the worst segment that is told, by NDCG@10 and HR@10",
        ("learn",),
        seldom=True,
    ),
    Metric(
        "bound_share",
        "gauge",
        "fairness.bounds.{bound}.share",
        "share",
        "of exposure that a bounded group had in a worker's last two hundred lists or so",
        seldom=True,
    ),
    Metric(
        "bound_least_share",
        "gauge",
        "fairness.bounds.{bound}.least",
        "share",
        "that UPWELL_EXPOSURE asks for",
        seldom=True,
    ),
    Metric(
        "bound_term",
        "gauge",
        "fairness.bounds.{bound}.term",
        "score",
        "that the group's items get for it now; at 8, the most, the bound is out of reach",
        seldom=True,
    ),
    Metric(
        "group_ndcg10",
        "gauge",
        "groups.{by}.{group}.ndcg10",
        "NDCG@10",
        "of the model over the last thousand targets or so (half-life) of a group, by the user's "
        "activity or segment (UPWELL_FAIR_SEGMENTS), and by how popular and how new the item is",
        ("learn",),
        seldom=True,
    ),
    Metric(
        "group_hr10",
        "gauge",
        "groups.{by}.{group}.hr10",
        "share",
        "of these targets that stood among the first ten",
        ("learn",),
        seldom=True,
    ),
)
UNTOLD_FAIRNESS = {
    "fairness.at": "as of when: the record is made each ten seconds, and after a promotion",
    "fairness.lists": "lists_total is their number",
    "fairness.groups.{by}.{group}.parity": "exposure divided by the share of the catalogue",
    "fairness.groups.{by}.{group}.ratio": "exposure divided by the share of interactions",
}
"""What else stands there."""
