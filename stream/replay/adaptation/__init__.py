"""Fine-tuning the text encoder on what a log taught, and what that did for new items and users."""

from stream.replay.adaptation.report import Report, adaptation_table

__all__ = ["Report", "adaptation_table"]
