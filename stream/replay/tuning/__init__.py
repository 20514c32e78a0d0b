"""Settings that suit a log: searched on its first part, held against the unseen rest, and written
to `upwell.toml` where they earn something there.
"""

from stream.replay.tuning.search import Options, Report, tune

__all__ = ["Options", "Report", "tune"]
