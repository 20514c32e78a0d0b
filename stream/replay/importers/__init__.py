"""Logs that people have, in their own formats, as a replay log: each format a module, told apart by
the shape of its files, not by their names.
"""

from stream.replay.importers.convert import Report, import_log
from stream.replay.importers.kinds import KINDS

__all__ = ["KINDS", "Report", "import_log"]
