"""Fine-tuning of a text encoder on pairs of texts that belong together. It knows nothing about
logs, items or users: pairs in, the folder of a model out.
"""

from encoders.adapt.options import METHODS, Objective, Options, Schedule
from encoders.adapt.pairs import Pair

__all__ = ["METHODS", "Objective", "Options", "Pair", "Schedule"]
