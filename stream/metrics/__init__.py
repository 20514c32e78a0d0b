"""What workers say of themselves, as figures with a name, a unit and a meaning: one registry, from
which the page docs/metrics.md and what Prometheus scrapes are made.
"""
